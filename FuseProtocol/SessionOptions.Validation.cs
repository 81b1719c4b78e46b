using Harness.FuseProtocol.Wire;

namespace Harness.FuseProtocol;

public sealed partial record SessionOptions
{
    /// <summary>Finds what the kernel would refuse, ignore or cut, and what contradicts itself.</summary>
    /// <returns>One sentence for each error: what is wrong, and what is allowed. Empty if there is none.</returns>
    public IReadOnlyList<string> Validate()
    {
        var errors = new List<string>();
        ValidateNumbers(errors);
        ValidateFlags(errors);
        return errors;
    }

    private void ValidateNumbers(List<string> errors)
    {
        const long MaxWriteMax = (long)MaxPagesMax * PageSize;
        if (MaxWrite is < MaxWriteMin || MaxWrite > MaxWriteMax || MaxWrite % PageSize != 0)
        {
            errors.Add($"max-write is {MaxWrite} bytes; it must be a multiple of {PageSize} between {MaxWriteMin} and {MaxWriteMax}.");
        }

        if (MaxReadahead < 0)
        {
            errors.Add($"max-readahead is {MaxReadahead} bytes; it must be at least 0.");
        }

        if (MaxBackground == 0)
        {
            errors.Add("max-background is 0, which the kernel takes for its own default; it must be between 1 and 65535.");
        }

        if (CongestionThreshold == 0 || CongestionThreshold > MaxBackground)
        {
            errors.Add($"congestion-threshold is {CongestionThreshold}; it must be between 1 and max-background, which is {MaxBackground}.");
        }

        if (TimeGran is 0 or > TimeGranMax)
        {
            errors.Add($"time-gran is {TimeGran} ns; it must be between 1 and {TimeGranMax}.");
        }

        if (MaxStackDepth is 0 or > MaxStackDepthMax)
        {
            errors.Add($"max-stack-depth is {MaxStackDepth}; it must be between 1 and {MaxStackDepthMax}.");
        }
    }

    private void ValidateFlags(List<string> errors)
    {
        InitFlags enabled = Enabled & ~Disabled;
        foreach (InitFlagRow row in InitFlagNames.All)
        {
            bool on = (enabled & row.Flag) != 0;
            bool off = (Disabled & row.Flag) != 0;
            if ((on && row.SetBy is InitFlagSetter.Nobody) || (off && row.SetBy is InitFlagSetter.Session))
            {
                errors.Add($"The flag {row.Name} cannot be switched {(on ? "on" : "off")}: {row.Effect}");
            }
        }

        foreach (InitFlagRules.Exclusion rule in InitFlagRules.Exclusions)
        {
            if ((enabled & rule.Wins) != 0 && (enabled & rule.Loses) != 0)
            {
                errors.Add($"{Name(rule.Wins)} and {Name(rule.Loses)} exclude each other: {rule.Reason}. Leave one out.");
            }
        }

        foreach (InitFlagRules.Dependency rule in InitFlagRules.Dependencies)
        {
            if ((enabled & rule.Flag) != 0 && (Disabled & rule.Needs) != 0)
            {
                errors.Add($"{Name(rule.Flag)} needs {Name(rule.Needs)}, which is switched off: {rule.Reason}.");
            }
        }

        if ((enabled & InitFlags.AllowIdmap) != 0 && !InitFlagRules.AllowsIdmap(enabled, DefaultPermissions))
        {
            errors.Add("allow-idmap needs default_permissions or posix-acl: without them the kernel refuses the mount.");
        }

        if ((enabled & InitFlags.RequestTimeout) != 0 && RequestTimeoutSeconds == 0)
        {
            errors.Add("request-timeout needs a time-out of at least 1 second.");
        }
    }

    private static string Name(InitFlags flag) => InitFlagNames.Row(flag).Name;
}
