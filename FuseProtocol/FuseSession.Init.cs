using System.Runtime.InteropServices;
using Harness.FuseProtocol.Wire;

namespace Harness.FuseProtocol;

public sealed partial class FuseSession
{
    private const int FlagsEnd = 16;
    private const int Flags2End = 20;

    private void Initialize(FuseRequest request)
    {
        if (_init is not null)
        {
            Refuse(request, "a second INIT");
            return;
        }

        InitIn offer = ReadOffer(request);
        if (offer.Major > Protocol.Major)
        {
            // The kernel shall send INIT again with the major version that it is told here (fuse.h, "Version negotiation").
            request.Reply(new InitOut { Major = Protocol.Major, Minor = Protocol.Minor });
            return;
        }

        if (offer.Major < Protocol.Major || offer.Minor < Protocol.MinorMin)
        {
            string reason = $"the kernel speaks FUSE {offer.Major}.{offer.Minor}; at least {Protocol.Major}.{Protocol.MinorMin} is needed";
            _started.TrySetException(new NotSupportedException(reason));
            Refuse(request, reason);
            return;
        }

        NegotiatedInit init = Negotiate(in offer);
        _flags = init.Flags;
        _fileSystem.Start(init);
        _init = init;
        InitOut reply = Answer(init);
        request.Reply(in reply);
        _started.TrySetResult(init);
    }

    private static InitIn ReadOffer(FuseRequest request)
    {
        InitIn offer = default;
        Span<byte> bytes = MemoryMarshal.AsBytes(new Span<InitIn>(ref offer));
        request.Args.Span.CopyTo(bytes);
        ReadOnlySpan<byte> rest = request.Payload.Span;
        rest[..Math.Min(rest.Length, bytes.Length - FlagsEnd)].CopyTo(bytes[FlagsEnd..]);
        if (((InitFlags)offer.Flags & InitFlags.InitExt) == 0 || rest.Length < Flags2End - FlagsEnd)
        {
            offer.Flags2 = 0;
        }

        return offer;
    }

    private NegotiatedInit Negotiate(in InitIn offer)
    {
        InitFlags offered = (InitFlags)(offer.Flags | ((ulong)offer.Flags2 << 32));
        InitFlags wanted = (_options.Enabled | _fileSystem.Capabilities) & ~_options.Disabled;
        if (_options.RequestTimeoutSeconds != 0)
        {
            wanted |= InitFlags.RequestTimeout;
        }

        InitFlags granted = wanted & offered;
        if ((granted & InitFlags.InitExt) == 0)
        {
            granted &= (InitFlags)uint.MaxValue;
        }

        int maxPages = (granted & InitFlags.MaxPages) != 0 ? ushort.MaxValue : 32;
        int maxWrite = (int)Math.Min(_options.MaxWrite, (long)maxPages * SessionOptions.PageSize);
        ushort congestion = _options.CongestionThreshold ?? (ushort)Math.Max(1, _options.MaxBackground * 3 / 4);
        return new NegotiatedInit
        {
            Minor = Math.Min(offer.Minor, Protocol.Minor),
            Flags = granted,
            Offered = offered,
            Refused = wanted & ~granted,
            MaxWrite = maxWrite,
            MaxReadahead = (int)Math.Min(offer.MaxReadahead, (uint)(_options.MaxReadahead ?? maxWrite)),
            MaxBackground = _options.MaxBackground,
            CongestionThreshold = Math.Min(congestion, _options.MaxBackground),
        };
    }

    private InitOut Answer(NegotiatedInit init) => new()
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
        TimeGran = _options.TimeGran,
        MaxStackDepth = init.Has(InitFlags.Passthrough) ? _options.MaxStackDepth : 0,
        RequestTimeout = init.Has(InitFlags.RequestTimeout) ? _options.RequestTimeoutSeconds : (ushort)0,
    };
}
