using Harness.Cluster.Wire;

namespace Harness.Cluster.Metadata.Server;

/// <summary>What a session has of an inode.</summary>
/// <param name="Mode">Its lease.</param>
/// <param name="Open">Whether it said that it has the inode open.</param>
internal readonly record struct LeaseHolding(LeaseMode Mode, bool Open);

/// <summary>Who holds which lease. Soft: after a change of the leader, clients say again what they hold.</summary>
/// <remarks>At most one session has a Write lease on an inode, and then nobody else has one on it. Bounded by <see cref="LeasesMax"/>.</remarks>
internal sealed class LeaseTable
{
    /// <summary>Most leases in all; beyond it replies carry none, and clients ask again each time.</summary>
    public const int LeasesMax = 8_000_000;

    private readonly Dictionary<ulong, SortedDictionary<ulong, LeaseHolding>> _byInode = [];
    private readonly Dictionary<ulong, SortedSet<ulong>> _bySession = [];
    private readonly Dictionary<ulong, int> _pending = [];

    /// <summary>How many leases there are.</summary>
    public int Count { get; private set; }

    /// <summary>What a session has of an inode.</summary>
    public LeaseHolding Of(ulong inode, ulong session) =>
        _byInode.TryGetValue(inode, out SortedDictionary<ulong, LeaseHolding>? all) ? all.GetValueOrDefault(session) : default;

    /// <summary>The sessions other than one that have a lease of at least a mode on an inode, or have it open.</summary>
    public IEnumerable<(ulong Session, LeaseHolding Holding)> Others(ulong inode, ulong session, LeaseMode least)
    {
        if (!_byInode.TryGetValue(inode, out SortedDictionary<ulong, LeaseHolding>? all))
        {
            yield break;
        }

        foreach ((ulong other, LeaseHolding holding) in all)
        {
            if (other != session && holding.Mode >= least)
            {
                yield return (other, holding);
            }
        }
    }

    /// <summary>The sessions that said they have an inode open.</summary>
    public IEnumerable<ulong> OpenIn(ulong inode) =>
        _byInode.TryGetValue(inode, out SortedDictionary<ulong, LeaseHolding>? all)
            ? all.Where(static one => one.Value.Open).Select(static one => one.Key)
            : [];

    /// <summary>
    /// Gives a session a lease, unless a change of the inode is under way, which the reply would outlive, or there are too many. What it had
    /// before it keeps.
    /// </summary>
    /// <returns>What it has now.</returns>
    public LeaseMode Grant(ulong inode, ulong session, LeaseMode mode)
    {
        LeaseHolding held = Of(inode, session);
        if (held.Mode >= mode)
        {
            return _pending.ContainsKey(inode) ? LeaseMode.None : held.Mode;
        }

        bool refused = _pending.ContainsKey(inode) || Count >= LeasesMax ||
            Others(inode, session, mode == LeaseMode.Write ? LeaseMode.Read : LeaseMode.Write).Any();
        if (!refused)
        {
            Set(inode, session, held with { Mode = mode });
        }

        return refused ? LeaseMode.None : mode;
    }

    /// <summary>Sets what a session has of an inode.</summary>
    public void Set(ulong inode, ulong session, LeaseHolding holding)
    {
        if (holding == default)
        {
            Remove(inode, session);
            return;
        }

        if (!_byInode.TryGetValue(inode, out SortedDictionary<ulong, LeaseHolding>? all))
        {
            _byInode.Add(inode, all = []);
        }

        if (!_bySession.TryGetValue(session, out SortedSet<ulong>? inodes))
        {
            _bySession.Add(session, inodes = []);
        }

        Count += inodes.Add(inode) ? 1 : 0;
        all[session] = holding;
    }

    /// <summary>Takes away everything that a session has.</summary>
    public void RemoveSession(ulong session)
    {
        if (_bySession.Remove(session, out SortedSet<ulong>? inodes))
        {
            foreach (ulong inode in inodes)
            {
                RemoveFromInode(inode, session);
                Count--;
            }
        }
    }

    /// <summary>A change of an inode begins: until it ends, no reply lets anybody cache the inode.</summary>
    public void BeginChange(ulong inode) => _pending[inode] = _pending.GetValueOrDefault(inode) + 1;

    /// <summary>A change of an inode has ended.</summary>
    public void EndChange(ulong inode)
    {
        int left = _pending[inode] - 1;
        if (left == 0)
        {
            _pending.Remove(inode);
        }
        else
        {
            _pending[inode] = left;
        }
    }

    private void Remove(ulong inode, ulong session)
    {
        if (_bySession.TryGetValue(session, out SortedSet<ulong>? inodes) && inodes.Remove(inode))
        {
            Count--;
            RemoveFromInode(inode, session);
        }
    }

    private void RemoveFromInode(ulong inode, ulong session)
    {
        SortedDictionary<ulong, LeaseHolding> all = _byInode[inode];
        all.Remove(session);
        if (all.Count == 0)
        {
            _byInode.Remove(inode);
        }
    }
}
