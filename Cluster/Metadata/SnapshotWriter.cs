using Harness.Cluster.Wire;

namespace Harness.Cluster.Metadata;

/// <summary>
/// Turns the state as it was at one command into records, little by little, while commands go on: what a command is about to change is
/// written first, as it is.
/// </summary>
/// <remarks>
/// Copying before writing by inode needs neither a second state nor a pause: the longest step is the largest directory that is changed
/// meanwhile. What is no inode (sessions, servers, locks) is little and is written at the start.
/// </remarks>
internal sealed class SnapshotWriter
{
    private readonly MetadataState _state;
    private readonly Action<SnapshotRecord> _write;
    private readonly ulong _nextInode;
    private readonly ulong[] _pages;
    private readonly HashSet<ulong> _early = [];
    private readonly List<ulong> _touched = [];
    private int _page;
    private ulong _records;

    /// <summary>Begins, and writes what is no inode.</summary>
    /// <param name="state">Whose.</param>
    /// <param name="index">The last command that the state contains.</param>
    /// <param name="write">Takes the records, in order.</param>
    public SnapshotWriter(MetadataState state, ulong index, Action<SnapshotRecord> write)
    {
        (_state, Index, _write) = (state, index, write);
        _nextInode = state.NextInode;
        _pages = state.InodePages();
        Write(state.CommonRecords(index));
    }

    /// <summary>The last command that the snapshot contains.</summary>
    public ulong Index { get; }

    /// <summary>To be called before a command is applied.</summary>
    public void Before(Command command)
    {
        _touched.Clear();
        _state.AddTouched(command, _touched);
        foreach (ulong inode in _touched)
        {
            bool isDue = inode != 0 && inode < _nextInode && _page < _pages.Length && inode >= _pages[_page];
            if (isDue && _early.Add(inode))
            {
                Write(_state.RecordsOf(inode));
            }
        }
    }

    /// <summary>Writes the next page of inodes.</summary>
    /// <returns>False when all is written.</returns>
    public bool Step()
    {
        if (_page == _pages.Length)
        {
            _write(new SnapshotRecord { End = new SnapshotEnd { Records = _records } });
            return false;
        }

        ulong first = _pages[_page++];
        for (ulong inode = first; inode < first + InodeTable.PageInodes && inode < _nextInode; inode++)
        {
            if (!_early.Remove(inode))
            {
                Write(_state.RecordsOf(inode));
            }
        }

        return true;
    }

    private void Write(IEnumerable<SnapshotRecord> records)
    {
        foreach (SnapshotRecord record in records)
        {
            _records++;
            _write(record);
        }
    }
}
