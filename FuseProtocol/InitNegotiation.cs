using Harness.FuseProtocol.Wire;

namespace Harness.FuseProtocol;

/// <summary>Decides what a session asks the kernel for, out of what it offers, by the kernel's own rules.</summary>
/// <remarks>
/// What the kernel would ignore or refuse in silence (fs/fuse/inode.c, <c>process_init_reply</c>) is not asked for, so that what is
/// reported as agreed is in force.
/// </remarks>
internal static class InitNegotiation
{
    /// <summary>Pages of a message where MAX_PAGES was not agreed (<c>FUSE_DEFAULT_MAX_PAGES_PER_REQ</c>, fs/fuse/fuse_i.h).</summary>
    private const int MaxPagesDefault = 32;

    /// <summary>First minor in which a request says how long its extensions are.</summary>
    private const uint ExtensionLengthMinor = 38;

    /// <summary>What both sides agree on.</summary>
    /// <param name="offer">INIT, with zeros for what an old kernel does not send.</param>
    /// <param name="options">What the user wants.</param>
    /// <param name="capabilities">What the file system wants besides.</param>
    public static NegotiatedInit Negotiate(in InitIn offer, SessionOptions options, InitFlags capabilities)
    {
        InitFlags offered = (InitFlags)(offer.Flags | ((ulong)offer.Flags2 << 32));
        InitFlags wanted = Wanted(options, capabilities);
        InitFlags granted = Granted(wanted & offered, offer.Minor, options);
        long maxPages = (granted & InitFlags.MaxPages) != 0 ? SessionOptions.MaxPagesMax : MaxPagesDefault;
        int maxWrite = (int)Math.Min(options.MaxWrite, maxPages * SessionOptions.PageSize);
        return new NegotiatedInit
        {
            Minor = Math.Min(offer.Minor, Protocol.Minor),
            Flags = granted,
            Offered = offered,
            Refused = wanted & ~granted,
            MaxWrite = maxWrite,
            MaxReadahead = (int)Math.Min(offer.MaxReadahead, (uint)(options.MaxReadahead ?? maxWrite)),
            MaxBackground = options.MaxBackground,
            CongestionThreshold = options.CongestionThreshold ?? (ushort)Math.Max(1, options.MaxBackground * 3 / 4),
        };
    }

    /// <summary>The reply to INIT that says so.</summary>
    public static InitOut Answer(NegotiatedInit init, SessionOptions options) => new()
    {
        Major = Protocol.Major,
        Minor = Protocol.Minor,
        MaxReadahead = (uint)init.MaxReadahead,
        Flags = (uint)init.Flags,
        Flags2 = (uint)((ulong)init.Flags >> 32),
        MaxBackground = init.MaxBackground,
        CongestionThreshold = init.CongestionThreshold,
        MaxWrite = (uint)init.MaxWrite,
        MaxPages = (ushort)((init.MaxWrite + SessionOptions.PageSize - 1) / SessionOptions.PageSize),
        TimeGran = options.TimeGran,
        MaxStackDepth = init.Has(InitFlags.Passthrough) ? options.MaxStackDepth : 0,
        RequestTimeout = init.Has(InitFlags.RequestTimeout) ? options.RequestTimeoutSeconds : (ushort)0,
    };

    private static InitFlags Wanted(SessionOptions options, InitFlags capabilities)
    {
        // What the user says goes before what the file system would like, where the two exclude each other.
        InitFlags enabled = options.Enabled & ~options.Disabled;
        InitFlags wanted = enabled | (capabilities & ~options.Disabled & ~InitFlagRules.ExcludedBy(enabled));
        return options.RequestTimeoutSeconds != 0 ? wanted | InitFlags.RequestTimeout : wanted;
    }

    private static InitFlags Granted(InitFlags common, uint minor, SessionOptions options)
    {
        if ((common & InitFlags.InitExt) == 0)
        {
            // Bits 32 and up travel in flags2, which does not count without INIT_EXT.
            common &= (InitFlags)uint.MaxValue;
        }

        if (minor < ExtensionLengthMinor)
        {
            // 7.36 and 7.37 put security contexts behind the names without saying so in the header.
            common &= ~InitFlags.SecurityCtx;
        }

        return InitFlagRules.Effective(common, options.DefaultPermissions);
    }
}
