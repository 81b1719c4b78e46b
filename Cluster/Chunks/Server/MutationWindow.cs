namespace Harness.Cluster.Chunks.Server;

/// <summary>
/// Which mutations a replica has taken in, so that one that is sent again is not carried out again. A client says below which number it
/// will ask no more; what lies below is forgotten, and refused: it has been given up, or comes once more behind its retry by another connection.
/// </summary>
internal sealed class MutationWindow
{
    /// <summary>The most that is remembered of one client: far more than it may have under way.</summary>
    public const int NumbersMax = 16_384;

    /// <summary>The most clients that are remembered; the one that was heard of first goes first.</summary>
    public const int ClientsMax = 1_024;

    private readonly Dictionary<ulong, Numbers> _clients = [];
    private readonly Queue<ulong> _order = new();

    /// <summary>All that are remembered.</summary>
    public IEnumerable<MutationEntry> Entries =>
        from client in _order
        from number in _clients[client].Arrived
        select new MutationEntry { Client = client, Mutation = number, Sequence = _clients[client].Sequences[number] };

    /// <summary>Forgets all.</summary>
    public void Clear()
    {
        _clients.Clear();
        _order.Clear();
    }

    /// <summary>Remembers a mutation.</summary>
    public void Add(MutationId mutation, ulong sequence)
    {
        if (mutation.Number == 0)
        {
            return;
        }

        Numbers numbers = Of(mutation.Client);
        if (numbers.Sequences.TryAdd(mutation.Number, sequence))
        {
            numbers.Arrived.Enqueue(mutation.Number);
        }

        Forget(numbers, numbers.Arrived.Count > NumbersMax ? numbers.Arrived.Peek() + 1 : 0);
    }

    /// <summary>Finds the sequence that a mutation was given.</summary>
    public bool TryFind(MutationId mutation, out ulong sequence)
    {
        sequence = 0;
        return mutation.Number != 0 && _clients.TryGetValue(mutation.Client, out Numbers? numbers) &&
            numbers.Sequences.TryGetValue(mutation.Number, out sequence);
    }

    /// <summary>Whether a mutation is one that its client will ask for no more.</summary>
    public bool IsPast(MutationId mutation) =>
        mutation.Number != 0 && _clients.TryGetValue(mutation.Client, out Numbers? numbers) && mutation.Number < numbers.DoneBelow;

    /// <summary>Forgets a client's mutations below a number.</summary>
    public void ForgetBelow(ulong client, ulong number)
    {
        Numbers numbers = Of(client);
        numbers.DoneBelow = Math.Max(numbers.DoneBelow, number);
        Forget(numbers, number);
    }

    private Numbers Of(ulong client)
    {
        if (!_clients.TryGetValue(client, out Numbers? numbers))
        {
            if (_order.Count >= ClientsMax)
            {
                _clients.Remove(_order.Dequeue());
            }

            _clients[client] = numbers = new Numbers();
            _order.Enqueue(client);
        }

        return numbers;
    }

    private static void Forget(Numbers numbers, ulong below)
    {
        while (numbers.Arrived.TryPeek(out ulong first) && first < below)
        {
            numbers.Sequences.Remove(first);
            numbers.Arrived.Dequeue();
        }
    }

    private sealed class Numbers
    {
        public Dictionary<ulong, ulong> Sequences { get; } = [];

        public Queue<ulong> Arrived { get; } = new();

        public ulong DoneBelow { get; set; }
    }
}
