using System.Runtime.InteropServices;
using Harness.FuseProtocol.Wire;

namespace Harness.FuseProtocol;

public sealed partial class FuseSession
{
    /// <summary>Where INIT ended before 7.36, and with it the fixed arguments that every kernel sends.</summary>
    private const int Flags2Offset = 16;

    /// <summary>
    /// Goes on with a connection that another process has begun: the kernel sends INIT once. Called before a channel runs.
    /// </summary>
    /// <param name="init">What that process agreed on.</param>
    public void Resume(NegotiatedInit init)
    {
        if (Interlocked.CompareExchange(ref _phase, Phase.Starting, Phase.Waiting) != Phase.Waiting)
        {
            throw new InvalidOperationException("The session has begun already.");
        }

        Start(init);
        _started.TrySetResult(init);
    }

    private void Initialize(FuseRequest request)
    {
        if (Interlocked.CompareExchange(ref _phase, Phase.Starting, Phase.Waiting) != Phase.Waiting)
        {
            Refuse(request, "a second INIT");
            return;
        }

        InitIn offer = ReadOffer(request);
        if (offer.Major > Protocol.Major)
        {
            // The kernel shall send INIT again with the major version that it is told here (fuse.h, "Version negotiation").
            Volatile.Write(ref _phase, Phase.Waiting);
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

        NegotiatedInit init = InitNegotiation.Negotiate(in offer, _options, _fileSystem.Capabilities);
        Start(init);
        InitOut reply = InitNegotiation.Answer(init, _options);
        request.Reply(in reply);
        _started.TrySetResult(init);
    }

    private void Start(NegotiatedInit init)
    {
        try
        {
            _fileSystem.Attach(new FuseNotifier(init, _notifications, _observer));
            _fileSystem.Start(init);
        }
        catch (Exception exception)
        {
            _started.TrySetException(exception);
            throw;
        }

        // Requests may come on other threads as soon as the answer is out, so all must be in place before.
        _init = init;
        if (Interlocked.CompareExchange(ref _phase, Phase.Serving, Phase.Starting) != Phase.Starting)
        {
            // The session was stopped meanwhile.
            _init = null;
            _fileSystem.Stop();
        }
    }

    /// <summary>Reads INIT, with zeros for what an old kernel does not send.</summary>
    internal static InitIn ReadOffer(FuseRequest request)
    {
        InitIn offer = default;
        Span<byte> bytes = MemoryMarshal.AsBytes(new Span<InitIn>(ref offer));
        request.Args.Span.CopyTo(bytes);
        ReadOnlySpan<byte> rest = request.Payload.Span;
        rest[..Math.Min(rest.Length, bytes.Length - Flags2Offset)].CopyTo(bytes[Flags2Offset..]);
        if (((InitFlags)offer.Flags & InitFlags.InitExt) == 0 || rest.Length < sizeof(uint))
        {
            offer.Flags2 = 0;
        }

        return offer;
    }
}
