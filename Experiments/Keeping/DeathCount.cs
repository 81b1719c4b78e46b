namespace Harness.Experiments.Keeping;

/// <summary>Tells a daemon that dies now and then from one that cannot live.</summary>
internal sealed class DeathCount(TimeProvider time)
{
    /// <summary>Deaths within <see cref="Window"/> that are put up with.</summary>
    public const int DeathsMax = 5;

    private readonly TimeProvider _time = time;
    private readonly Queue<long> _deaths = new(DeathsMax + 1);

    /// <summary>How long a death counts.</summary>
    public static TimeSpan Window { get; } = TimeSpan.FromSeconds(10);

    /// <summary>Counts a death.</summary>
    /// <returns>Whether there were too many.</returns>
    public bool Add()
    {
        long now = _time.GetTimestamp();
        while (_deaths.TryPeek(out long oldest) && _time.GetElapsedTime(oldest, now) > Window)
        {
            _deaths.Dequeue();
        }

        _deaths.Enqueue(now);
        return _deaths.Count > DeathsMax;
    }
}
