using System.Runtime.InteropServices;

namespace Harness.Experiments.Observing.Kernel;

/// <summary>A trace, by request and by thread.</summary>
internal sealed class TraceIndex
{
    private static readonly ThreadTimeline s_nobody = new();

    private readonly Dictionary<ulong, (long Time, int Thread)> _sends = [];
    private readonly Dictionary<ulong, long> _ends = [];
    private readonly Dictionary<int, ThreadTimeline> _threads = [];
    private readonly Dictionary<(int Thread, long Time), ulong> _sentThen = [];

    /// <summary>Orders the events of a trace.</summary>
    /// <param name="events">In the order of time.</param>
    public TraceIndex(IEnumerable<KernelEvent> events)
    {
        foreach (KernelEvent each in events)
        {
            ref ThreadTimeline? thread = ref CollectionsMarshal.GetValueRefOrAddDefault(_threads, each.Thread, out _);
            (thread ??= new ThreadTimeline()).Of(each.Kind).Add(each.Time);
            if (each.Kind == KernelEventKind.RequestSend)
            {
                _sends[each.Unique] = (each.Time, each.Thread);
                _sentThen[(each.Thread, each.Time)] = each.Unique;
            }
            else if (each.Kind == KernelEventKind.RequestEnd)
            {
                _ends[each.Unique] = each.Time;
            }
        }
    }

    /// <summary>Threads that sent requests.</summary>
    public IEnumerable<int> Senders => _sends.Values.Select(send => send.Thread).Distinct();

    /// <summary>When, and by which thread, a request was sent; null if the trace does not say.</summary>
    public (long Time, int Thread)? SendOf(ulong unique) => _sends.TryGetValue(unique, out (long Time, int Thread) send) ? send : null;

    /// <summary>When a request ended.</summary>
    public long? EndOf(ulong unique) => _ends.TryGetValue(unique, out long time) ? time : null;

    /// <summary>When the request ended that a thread sent at a time.</summary>
    public long? EndOfSent(int thread, long time) => _sentThen.TryGetValue((thread, time), out ulong unique) ? EndOf(unique) : null;

    /// <summary>What a thread did.</summary>
    public ThreadTimeline Thread(int thread) => _threads.GetValueOrDefault(thread, s_nobody);
}
