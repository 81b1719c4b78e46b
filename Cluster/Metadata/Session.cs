using Harness.Cluster.Wire;

namespace Harness.Cluster.Metadata;

/// <summary>A client's session: what outlives its connections and a change of the leader.</summary>
internal sealed class Session(ulong id, string name)
{
    private readonly SortedDictionary<ulong, Outcome> _remembered = [];

    /// <summary>The session's number, never used again.</summary>
    public ulong Id { get; } = id;

    /// <summary>For people.</summary>
    public string Name { get; } = name;

    /// <summary>The client has seen the outcome of all mutations up to this one.</summary>
    public ulong Acknowledged { get; private set; }

    /// <summary>Outcomes that the client may ask for again, by the number of the mutation.</summary>
    public IReadOnlyDictionary<ulong, Outcome> Remembered => _remembered;

    /// <summary>The outcome of a mutation that ran before; null if it did not.</summary>
    public Outcome? Recall(ulong mutation) => _remembered.GetValueOrDefault(mutation);

    /// <summary>Keeps an outcome until it is acknowledged.</summary>
    public void Remember(ulong mutation, Outcome outcome) => _remembered.Add(mutation, outcome);

    /// <summary>Forgets what the client has seen.</summary>
    public void Acknowledge(ulong upTo)
    {
        if (upTo <= Acknowledged)
        {
            return;
        }

        Acknowledged = upTo;
        while (_remembered.Count > 0 && First() is ulong first && first <= upTo)
        {
            _remembered.Remove(first);
        }
    }

    private ulong First()
    {
        foreach (ulong mutation in _remembered.Keys)
        {
            return mutation;
        }

        return ulong.MaxValue;
    }
}
