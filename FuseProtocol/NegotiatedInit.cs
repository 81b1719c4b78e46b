using Harness.FuseProtocol.Wire;

namespace Harness.FuseProtocol;

/// <summary>What INIT agreed on.</summary>
public sealed record NegotiatedInit
{
    /// <summary>The minor version that both sides speak.</summary>
    public required uint Minor { get; init; }

    /// <summary>The flags in force.</summary>
    public required InitFlags Flags { get; init; }

    /// <summary>All flags that the kernel offered.</summary>
    public required InitFlags Offered { get; init; }

    /// <summary>Flags that were wanted and that the kernel does not offer.</summary>
    public required InitFlags Refused { get; init; }

    /// <summary>Largest data of one WRITE, in bytes, as answered; the kernel may cut it to its limit on pages.</summary>
    public required int MaxWrite { get; init; }

    /// <summary>Longest readahead, in bytes.</summary>
    public required int MaxReadahead { get; init; }

    /// <summary>Background requests in flight at once.</summary>
    public required ushort MaxBackground { get; init; }

    /// <summary>Background requests above which the device counts as congested.</summary>
    public required ushort CongestionThreshold { get; init; }

    /// <summary>Whether a flag is in force.</summary>
    public bool Has(InitFlags flag) => (Flags & flag) == flag;
}
