namespace Harness.Experiments.Observing.Kernel;

/// <summary>When something happened, in order, for questions about what came before and after.</summary>
internal sealed class Timeline
{
    private readonly List<long> _times = [];

    /// <summary>Adds a time, no earlier than those before it.</summary>
    public void Add(long time) => _times.Add(time);

    /// <summary>The last time that is not after <paramref name="limit"/>; null if there is none.</summary>
    public long? LastUpTo(long limit) => IndexAfter(limit) is > 0 and int index ? _times[index - 1] : null;

    /// <summary>The last time before <paramref name="limit"/>.</summary>
    public long? LastBefore(long limit) => LastUpTo(limit - 1);

    /// <summary>The first time from <paramref name="start"/> on.</summary>
    public long? FirstFrom(long start) => IndexAfter(start - 1) is int index && index < _times.Count ? _times[index] : null;

    private int IndexAfter(long limit)
    {
        int low = 0;
        int high = _times.Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            (low, high) = _times[middle] <= limit ? (middle + 1, high) : (low, middle);
        }

        return low;
    }
}

/// <summary>What one thread did during a trace.</summary>
internal sealed class ThreadTimeline
{
    /// <summary>When it sent requests.</summary>
    public Timeline Sends { get; } = new();

    /// <summary>When requests ended by its doing.</summary>
    public Timeline Ends { get; } = new();

    /// <summary>When it began to run.</summary>
    public Timeline SwitchIns { get; } = new();

    /// <summary>When it entered system calls.</summary>
    public Timeline Enters { get; } = new();

    /// <summary>When it left them.</summary>
    public Timeline Exits { get; } = new();

    /// <summary>Where events of a kind go.</summary>
    public Timeline Of(KernelEventKind kind) => kind switch
    {
        KernelEventKind.RequestSend => Sends,
        KernelEventKind.RequestEnd => Ends,
        KernelEventKind.SwitchIn => SwitchIns,
        KernelEventKind.SyscallEnter => Enters,
        _ => Exits,
    };
}
