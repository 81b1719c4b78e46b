namespace Harness.Experiments.Observing;

/// <summary>The requests that were answered since a recording was begun, until it is full: bounded memory, and nobody is disturbed by reading.</summary>
/// <remarks>Any number of threads add records; <see cref="Clear"/> and <see cref="Take"/> are one thread's, while nobody is told to add.</remarks>
internal sealed class StageRecording
{
    /// <summary>Requests that a recording holds; what comes later is not recorded. 2 MiB.</summary>
    public const int Capacity = 1 << 15;

    private const int GenerationShift = 32;

    private readonly StageRecord[] _records = new StageRecord[Capacity];
    private int _count;
    private uint _generation;

    /// <summary>How many requests were recorded.</summary>
    public int Count => Math.Min(Volatile.Read(ref _count), Capacity);

    /// <summary>Empties the recording; its pages are touched, so that adding does not fault.</summary>
    public void Clear()
    {
        _generation++;
        Array.Clear(_records);
        Volatile.Write(ref _count, 0);
    }

    /// <summary>Adds a request.</summary>
    /// <returns>A ticket for <see cref="Sent"/>; 0 if there was no room.</returns>
    public long Add(in StageRecord record)
    {
        // Looked at first, so that the count does not run on, and over, where nobody comes to take what is there.
        if (Volatile.Read(ref _count) >= Capacity)
        {
            return 0;
        }

        int index = Interlocked.Increment(ref _count) - 1;
        if (index >= Capacity)
        {
            return 0;
        }

        ref StageRecord place = ref _records[index];
        place = record with { Unique = 0 };
        Volatile.Write(ref place.Unique, record.Unique);
        return ((long)_generation << GenerationShift) | (uint)(index + 1);
    }

    /// <summary>Notes when an answer had been sent, unless its record is gone.</summary>
    public void Sent(long ticket, long now)
    {
        if ((uint)(ticket >> GenerationShift) == _generation)
        {
            _records[(int)ticket - 1].Sent = now;
        }
    }

    /// <summary>What was recorded, without those that are being written.</summary>
    public StageRecord[] Take() => [.. _records.Take(Count).Where(record => record.Unique != 0)];
}
