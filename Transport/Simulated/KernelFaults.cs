namespace Harness.Transport.Simulated;

/// <summary>A rule of the kernel that is broken on purpose, to show that conformance notices.</summary>
[Flags]
internal enum KernelFault
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>Direct I/O is split one page too early.</summary>
    WrongSplit = 1 << 0,

    /// <summary>Closing a file that was written sends no FLUSH.</summary>
    SkippedFlush = 1 << 1,

    /// <summary>The lookups of a node that was renamed over are not given back.</summary>
    LostForget = 1 << 2,

    /// <summary>Readahead does not stop at the end of the file.</summary>
    ReadaheadPastEnd = 1 << 3,

    /// <summary>One background request too many is let through.</summary>
    BackgroundLimitOffByOne = 1 << 4,
}

internal static class KernelFaultExtensions
{
    public static bool Has(this KernelFault faults, KernelFault fault) => (faults & fault) != 0;
}
