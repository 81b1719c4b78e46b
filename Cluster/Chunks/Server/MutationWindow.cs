namespace Harness.Cluster.Chunks.Server;

/// <summary>
/// Which mutations a replica has taken in, so that one that is sent again is not carried out again. A client says below which number it
/// will ask no more; what lies below is forgotten, and refused: it has been given up, or comes once more behind its retry by another connection.
/// </summary>
/// <remarks>Of the many replicas most have had one write of one client: they keep one array of a few numbers each.</remarks>
internal sealed class MutationWindow
{
    /// <summary>The most that is remembered of one client: far more than it may have under way.</summary>
    public const int NumbersMax = 16_384;

    /// <summary>The most clients that are remembered; the one that was heard of first goes first.</summary>
    public const int ClientsMax = 1_024;

    // In the order in which they were heard of. Few: looking through them is faster than hashing.
    private Numbers[] _clients = [];
    private int _count;

    /// <summary>All that are remembered: clients in the order in which they were heard of, numbers ascending.</summary>
    public IEnumerable<MutationEntry> Entries =>
        from numbers in _clients.Take(_count)
        from entry in numbers.Entries
        select new MutationEntry { Client = numbers.Client, Mutation = entry.Number, Sequence = entry.Sequence };

    /// <summary>Forgets all.</summary>
    public void Clear() => (_clients, _count) = ([], 0);

    /// <summary>Remembers a mutation.</summary>
    public void Add(MutationId mutation, ulong sequence)
    {
        if (mutation.Number != 0)
        {
            (Find(mutation.Client) ?? AddClient(mutation.Client)).Add(mutation.Number, sequence);
        }
    }

    /// <summary>Finds the sequence that a mutation was given.</summary>
    public bool TryFind(MutationId mutation, out ulong sequence)
    {
        sequence = 0;
        return mutation.Number != 0 && Find(mutation.Client) is { } numbers && numbers.TryFind(mutation.Number, out sequence);
    }

    /// <summary>Whether a mutation is one that its client will ask for no more.</summary>
    public bool IsPast(MutationId mutation) =>
        mutation.Number != 0 && Find(mutation.Client) is { } numbers && mutation.Number < numbers.DoneBelow;

    /// <summary>Forgets a client's mutations below a number.</summary>
    public void ForgetBelow(ulong client, ulong number) => (Find(client) ?? AddClient(client)).ForgetBelow(number);

    private Numbers? Find(ulong client)
    {
        // Whoever was heard of last is the likeliest to be heard of again.
        for (int i = _count - 1; i >= 0; i--)
        {
            if (_clients[i].Client == client)
            {
                return _clients[i];
            }
        }

        return null;
    }

    private Numbers AddClient(ulong client)
    {
        if (_count == ClientsMax)
        {
            Array.Copy(_clients, 1, _clients, 0, --_count);
        }
        else if (_count == _clients.Length)
        {
            Array.Resize(ref _clients, Math.Max(1, _count * 2));
        }

        return _clients[_count++] = new Numbers(client);
    }

    /// <summary>One client's, by number; mostly they come in that order.</summary>
    private sealed class Numbers(ulong client)
    {
        private (ulong Number, ulong Sequence)[] _entries = new (ulong, ulong)[1];
        private int _first;
        private int _end;

        public ulong Client => client;

        public IEnumerable<(ulong Number, ulong Sequence)> Entries => _entries[_first.._end];

        public void Add(ulong number, ulong sequence)
        {
            int at = PlaceOf(number);
            if (at < _end && _entries[at].Number == number)
            {
                return;
            }

            if (_end == _entries.Length)
            {
                at -= MakeRoom();
            }

            Array.Copy(_entries, at, _entries, at + 1, _end++ - at);
            _entries[at] = (number, sequence);
            _first += _end - _first > NumbersMax ? 1 : 0;
        }

        public bool TryFind(ulong number, out ulong sequence)
        {
            int at = PlaceOf(number);
            bool isThere = at < _end && _entries[at].Number == number;
            sequence = isThere ? _entries[at].Sequence : 0;
            return isThere;
        }

        /// <summary>What lies below is not asked for any more.</summary>
        public ulong DoneBelow { get; private set; }

        public void ForgetBelow(ulong number)
        {
            DoneBelow = Math.Max(DoneBelow, number);
            _first = PlaceOf(number);
        }

        /// <summary>The place of the first that is not below a number.</summary>
        private int PlaceOf(ulong number)
        {
            (int low, int high) = (_first, _end);
            while (low < high)
            {
                int middle = (low + high) >>> 1;
                (low, high) = _entries[middle].Number < number ? (middle + 1, high) : (low, middle);
            }

            return low;
        }

        /// <summary>Makes room behind the last, at first by closing up where others were forgotten.</summary>
        /// <returns>By how many places they have moved.</returns>
        private int MakeRoom()
        {
            int moved = _first;
            (ulong, ulong)[] room = moved > _entries.Length / 2 ? _entries : new (ulong, ulong)[_entries.Length * 2];
            Array.Copy(_entries, _first, room, 0, _end - _first);
            (_entries, _first, _end) = (room, 0, _end - _first);
            return moved;
        }
    }
}
