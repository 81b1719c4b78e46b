using Harness.Cluster.Disk;
using Harness.FuseProtocol;
using Mono.Unix.Native;

namespace Harness.Cluster.Chunks.Store;

/// <content>Bringing what the journal has into the chunk files.</content>
internal sealed partial class ChunkStore
{
    /// <summary>After so many writes the loop's other work has its turn.</summary>
    private const int WritesPerTurn = 32;

    /// <summary>So many blocks written straight start the application too, 32 MiB: each waits with its sum, 60 bytes of memory.</summary>
    private const int StraightBlocksMax = 8_192;

    /// <summary>What fewer have grown to is kept for the next: so much is a few pages, and not worth being made again.</summary>
    private const int PendingKeptMax = 1_024;

    private const long TryAgainNanoseconds = 1_000_000_000;

    private readonly LoopGate _applyGate = new();
    private readonly List<int> _order = [];
    private readonly List<PendingBlock> _run = [];
    private bool _applyStarted;
    private int _straightBlocks;
    private bool _isClosed;

    /// <summary>The error that ended applying for good; the store then only reads.</summary>
    public Errno Failure { get; private set; }

    /// <summary>
    /// Whether the disk has no room, or no inodes, for what the journal has. Nothing new is taken in then; what was is in the journal and is read from
    /// memory, and goes to its place when there is room.
    /// </summary>
    public bool IsFull { get; private set; }

    /// <summary>Begins to apply in the background, once there is enough.</summary>
    private void StartApplying()
    {
        if (!_applyStarted && (_pendingBytes >= _options.ApplyAtBytes || _straightBlocks >= StraightBlocksMax))
        {
            _applyStarted = true;
            ApplyInBackground();
        }
    }

    // Nobody awaits it, so that what it might throw ends the process and is not lost.
    private async void ApplyInBackground()
    {
        await ApplyPending();
        _applyStarted = false;
    }

    private async ValueTask<Errno> ApplyPending()
    {
        await _applyGate.Enter();
        Errno error = await ApplyAll();
        _applyGate.Leave();
        return Note(error);
    }

    /// <summary>Notes how applying has ended. From a full disk it goes on by itself; all else is for good.</summary>
    private Errno Note(Errno error)
    {
        if (!DiskSpace.IsLacking(error))
        {
            Failure = Failure == Errnos.Ok ? error : Failure;
        }
        else if (!IsFull && _isRecovered)
        {
            IsFull = true;
            TryAgain();
        }

        return error;
    }

    // Until there is room, or the store is closed. What it might throw ends the process.
    private async void TryAgain()
    {
        while (IsFull && !_isClosed)
        {
            await LoopYield.Delay(_loop, TryAgainNanoseconds);
            IsFull = !_isClosed && DiskSpace.IsLacking(await Checkpoint());
        }
    }

    private async ValueTask<Errno> ApplyAll()
    {
        _straightBlocks = 0;
        HashSet<(SlotFile File, int Index)> released = _small.TakeReleased();
        Errno error = await _journal.Sync(_journal.NextLsn - 1);
        error = error == Errnos.Ok ? await SmallChunks.Free(released) : error;
        _small.ReleaseAgain(released);
        StoredChunk[] waiting = [.. _open.Values.Where(chunk => chunk.Pending.Count > 0).OrderBy(chunk => chunk.Id.Value)];
        foreach (StoredChunk chunk in waiting)
        {
            if (error == Errnos.Ok && !chunk.IsGone)
            {
                chunk.Users++;
                error = await Apply(chunk, _journal.SyncedLsn);
                chunk.Users--;
            }
        }

        return error;
    }

    /// <summary>Brings a chunk's blocks into its file whose records are on the disk.</summary>
    private async ValueTask<Errno> Apply(StoredChunk chunk, ulong syncedLsn)
    {
        _order.Clear();
        foreach ((int block, PendingBlock pending) in chunk.Pending)
        {
            if (pending.Lsn <= syncedLsn)
            {
                _order.Add(block);
            }
        }

        Errno made = _order.Count > 0 ? await MakeRoom(chunk, chunk.HighWater) : Errnos.Ok;
        if (made != Errnos.Ok)
        {
            return chunk.IsGone ? Errnos.Ok : made;
        }

        _order.Sort();
        int writes = 0;
        for (int i = 0; i < _order.Count;)
        {
            int run = RunFrom(chunk, i, syncedLsn);
            Errno error = run > 0 ? await ApplyRun(chunk, _order[i], _run[0]) : Errnos.Ok;
            if (error != Errnos.Ok)
            {
                // The files of a chunk that is removed meanwhile are closed.
                return chunk.IsGone ? Errnos.Ok : error;
            }

            Settle(chunk, _order[i]);
            i += Math.Max(run, 1);
            if (++writes % WritesPerTurn == 0)
            {
                await LoopYield.Yield(_loop);
            }
        }

        if (chunk.Pending.Count == 0 && chunk.Pending.Capacity > PendingKeptMax)
        {
            chunk.Pending.TrimExcess();
        }

        return Errnos.Ok;
    }

    private async ValueTask<Errno> ApplyRun(StoredChunk chunk, int first, PendingBlock head)
    {
        long offset = (long)first * BlockSum.BlockBytes;
        int length = _run.Count * BlockSum.BlockBytes;
        if (head.Data is { } data)
        {
            data.AddReference();
            ReadOnlyMemory<byte> bytes = data.Memory.Slice(head.DataOffset, length);
            Errno error = await chunk.Data.Write(offset, bytes);
            data.Release();
            return error;
        }

        return head.Sum.IsZero(chunk.Id, first) ? await chunk.Data.PunchHole(offset, length) : Errnos.Ok;
    }

    /// <summary>
    /// Collects the blocks from one on that can be written by one call: neighbours of one record, with data that lies together. None if the
    /// block was written again, or is gone with its chunk, while others were applied: the next pass has it.
    /// </summary>
    private int RunFrom(StoredChunk chunk, int from, ulong syncedLsn)
    {
        _run.Clear();
        while (from + _run.Count < _order.Count && _order[from + _run.Count] == _order[from] + _run.Count &&
            chunk.Pending.TryGetValue(_order[from + _run.Count], out PendingBlock next) && next.Lsn <= syncedLsn && Follows(next))
        {
            _run.Add(next);
        }

        return _run.Count;

        bool Follows(in PendingBlock next) => _run.Count == 0 || (next.Lsn == _run[0].Lsn && next.Data == _run[0].Data &&
            (next.Data is null || next.DataOffset == _run[0].DataOffset + (_run.Count * BlockSum.BlockBytes)));
    }

    /// <summary>The table tells of the file, whatever was written to the block since; that is still pending.</summary>
    private void Settle(StoredChunk chunk, int first)
    {
        for (int i = 0; i < _run.Count; i++)
        {
            chunk.Sums[first + i] = _run[i].Sum;
            if (chunk.Pending.TryGetValue(first + i, out PendingBlock pending) && pending.Lsn == _run[i].Lsn)
            {
                chunk.Pending.Remove(first + i);
                if (pending.Data is not null)
                {
                    pending.Data.Release();
                    _pendingBytes -= BlockSum.BlockBytes;
                }
            }
        }
    }
}
