using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;
using Harness.Runtime;

namespace Harness.Experiments.Backends;

/// <summary>Holds every request back for a fixed time before it is served, which stands for a store that far away.</summary>
/// <remarks>
/// Stands before a session instead of around a file system, so that it is the same for every backend and every opcode, and holds no thread:
/// a request waits in its slot. The delay counts nanoseconds and is never shorter than asked; what it is longer is the time the scheduler
/// takes to wake the loop (200 µs asked, 218 to 243 µs given, from the 5th to the 95th percentile, on a busy virtual machine of 2 CPUs).
/// <c>Task.Delay</c> would count whole milliseconds. INIT and what takes no reply pass at once.
/// </remarks>
internal sealed class LatencyHandler : IRequestHandler
{
    private readonly IRequestHandler _inner;
    private readonly ILoop _loop;
    private readonly long _delayNanos;
    private readonly Action<object?> _serve;

    /// <summary>Delays what goes to <paramref name="inner"/>.</summary>
    public LatencyHandler(IRequestHandler inner, ILoop loop, TimeSpan latency)
    {
        _inner = inner;
        _loop = loop;
        _delayNanos = (long)latency.TotalNanoseconds;
        _serve = state => _inner.Handle((FuseRequest)state!);
    }

    /// <inheritdoc/>
    public IAnswerSource? Answers => _inner.Answers;

    /// <inheritdoc/>
    public void Handle(FuseRequest request)
    {
        Opcode opcode = request.Header.Opcode;
        if (opcode is Opcode.Init or Opcode.Interrupt or Opcode.Destroy || !OpcodeTable.TakesReply(opcode))
        {
            _inner.Handle(request);
            return;
        }

        request.BeginService();
        _loop.PostAt(_loop.NowNanoseconds + _delayNanos, _serve, request);
    }
}
