namespace Harness.Experiments;

/// <summary>What every command tells the shell.</summary>
internal static class ExitCode
{
    /// <summary>Done.</summary>
    public const int Done = 0;

    /// <summary>A check failed, or a measurement did.</summary>
    public const int CheckFailed = 1;

    /// <summary>The arguments or the YAML file are wrong.</summary>
    public const int BadArguments = 2;

    /// <summary>This machine cannot: no device, no permission, a program missing.</summary>
    public const int MachineCannot = 3;

    /// <summary>Ended by SIGINT (128 + 2), where something was left undone.</summary>
    public const int Interrupted = 130;
}
