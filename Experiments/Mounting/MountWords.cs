using Harness.Experiments.Plan;
using Harness.Experiments.Plan.Values;
using Harness.Transport.Mounting;

namespace Harness.Experiments.Mounting;

/// <summary>
/// The words of <c>-o</c>: those of mount(8) and mount.fuse3(8), and every knob under its own name (<c>max-write=128K</c>, <c>writeback</c>,
/// <c>no-async-dio</c>), with hyphens or underscores.
/// </summary>
internal static class MountWords
{
    private static readonly Dictionary<string, (MountFlags Set, MountFlags Clear)> s_flags = new()
    {
        ["ro"] = (MountFlags.ReadOnly, 0),
        ["rw"] = (0, MountFlags.ReadOnly),
        ["nosuid"] = (MountFlags.NoSuid, 0),
        ["suid"] = (0, MountFlags.NoSuid),
        ["nodev"] = (MountFlags.NoDev, 0),
        ["dev"] = (0, MountFlags.NoDev),
        ["noexec"] = (MountFlags.NoExec, 0),
        ["exec"] = (0, MountFlags.NoExec),
        ["sync"] = (MountFlags.Synchronous, 0),
        ["async"] = (0, MountFlags.Synchronous),
        ["dirsync"] = (MountFlags.DirSync, 0),
        ["nosymfollow"] = (MountFlags.NoSymFollow, 0),
        ["symfollow"] = (0, MountFlags.NoSymFollow),
        ["noatime"] = (MountFlags.NoAtime, MountFlags.RelAtime | MountFlags.StrictAtime),
        ["atime"] = (0, MountFlags.NoAtime),
        ["nodiratime"] = (MountFlags.NoDirAtime, 0),
        ["diratime"] = (0, MountFlags.NoDirAtime),
        ["relatime"] = (MountFlags.RelAtime, MountFlags.NoAtime | MountFlags.StrictAtime),
        ["norelatime"] = (0, MountFlags.RelAtime),
        ["strictatime"] = (MountFlags.StrictAtime, MountFlags.NoAtime | MountFlags.RelAtime),
        ["lazytime"] = (MountFlags.LazyTime, 0),
        ["nolazytime"] = (0, MountFlags.LazyTime),
    };

    /// <summary>Words that /etc/fstab has for others than the file system.</summary>
    private static readonly HashSet<string> s_ignored =
        ["defaults", "auto", "noauto", "user", "users", "nouser", "owner", "group", "nofail", "_netdev", "auto_unmount"];

    /// <summary>What each word that is no knob does, for <c>--options</c>.</summary>
    public static IReadOnlyList<(string Word, string Effect)> Descriptions { get; } =
    [
        ("ro, rw", "refuse or allow writes (default rw)"),
        ("nosuid, suid", "whether set-id bits count (default nosuid)"),
        ("nodev, dev", "whether device files can be opened (default nodev)"),
        ("noexec, exec", "whether programs can be executed (default exec)"),
        ("sync, async, dirsync", "whether the kernel waits for each write, or for each change of a directory (default async)"),
        ("noatime, relatime, strictatime, nodiratime, lazytime", "when the kernel counts reading as access (default relatime)"),
        ("nosymfollow, symfollow", "whether symbolic links are followed (default symfollow)"),
        ("allow_other, no-allow_other", "whether other users may use the mount (default: if root mounts)"),
        ("default_permissions, no-default_permissions", "whether the kernel checks permissions by itself (default) or asks by ACCESS"),
        ("max_read=SIZE", "largest READ, in bytes (default: the message size)"),
        ("fsname=TEXT, subtype=TEXT", "what /proc/mounts says is mounted, and of which type (default: the backend, harness)"),
        ("keep", "keep the mount through the death of its daemon, as --keep does (default: a dead daemon's mount gives errors)"),
        ("nonempty", "mount over a directory that is not empty (default: refuse)"),
    ];

    /// <summary>Reads a list of words into a mount.</summary>
    /// <param name="spec">What the words are added to.</param>
    /// <param name="list">Separated by commas.</param>
    /// <exception cref="FormatException">A word is unknown, or its value wrong; the message says what is allowed.</exception>
    public static MountSpec Apply(MountSpec spec, string list) =>
        list.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Aggregate(spec, ApplyWord);

    private static MountSpec ApplyWord(MountSpec spec, string word)
    {
        string[] parts = word.Split('=', 2);
        (string name, string? value) = (parts[0], parts.Length == 2 ? parts[1] : null);
        if (s_ignored.Contains(name) || name.StartsWith("x-", StringComparison.Ordinal) || name.StartsWith("comment", StringComparison.Ordinal))
        {
            return spec;
        }

        if (value is null && s_flags.TryGetValue(name, out (MountFlags Set, MountFlags Clear) flags))
        {
            return spec with { Kernel = spec.Kernel with { Flags = (spec.Kernel.Flags & ~flags.Clear) | flags.Set } };
        }

        if (value is null && name == "keep")
        {
            return spec with { Keep = true };
        }

        return ApplyFuseWord(spec.Kernel, name, value) is MountOptions options ? spec with { Kernel = options } : ApplyKnob(spec, name, value);
    }

    private static MountOptions? ApplyFuseWord(MountOptions options, string name, string? value) => (name.Replace('-', '_'), value) switch
    {
        ("allow_other", null) => options with { AllowOther = true },
        ("no_allow_other", null) => options with { AllowOther = false },
        ("default_permissions", null) => options with { DefaultPermissions = true },
        ("no_default_permissions", null) => options with { DefaultPermissions = false },
        ("nonempty", null) => options with { NonEmpty = true },
        ("fsname", { Length: > 0 }) => options with { FsName = value },
        ("subtype", { Length: > 0 }) => options with { Subtype = value },
        ("max_read", not null) => options with { MaxRead = (int)ReadSize(name, value) },
        _ => null,
    };

    private static MountSpec ApplyKnob(MountSpec spec, string name, string? value)
    {
        string spelled = name.Replace('_', '-');
        bool negated = value is null && spelled.StartsWith("no-", StringComparison.Ordinal) && Knobs.All.All(each => each.Name != spelled);
        spelled = negated ? spelled[3..] : spelled;
        Knob knob = Knobs.All.FirstOrDefault(each => each.Name == spelled) ?? throw new FormatException(Unknown(name));
        string text = value ?? (knob.Kind is SwitchKind ? negated ? "off" : "on" : throw new FormatException(
            $"-o {name} needs a value; allowed: {knob.Kind.Expectation}."));
        // libfuse's time-outs are plain seconds.
        text = knob.Kind is DurationKind && double.TryParse(text, out double seconds) ? $"{(long)(seconds * 1_000_000)}us" : text;
        return knob.Kind.TryParse(text, out ScalarValue parsed, out string complaint)
            ? spec with { Knobs = spec.Knobs.Without(knob).With(knob, parsed) }
            : throw new FormatException($"-o {name}: {complaint}; allowed: {knob.Kind.Expectation}.");
    }

    private static long ReadSize(string name, string value)
    {
        ValueKind kind = ValueKind.Size(4096, int.MaxValue);
        return kind.TryParse(value, out ScalarValue size, out string complaint)
            ? size.Number
            : throw new FormatException($"-o {name}: {complaint}; allowed: {kind.Expectation}.");
    }

    private static string Unknown(string name)
    {
        IEnumerable<string> known =
        [
            .. s_flags.Keys, "allow_other", "default_permissions", "keep", "nonempty", "fsname", "subtype", "max_read", .. Knobs.All.Select(knob => knob.Name),
        ];
        return $"-o: there is no option {Quoted.Text(name)}{NearestName.Hint(name, known)} ./harness mount --options lists them all.";
    }
}
