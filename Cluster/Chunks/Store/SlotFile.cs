using System.Numerics;
using Harness.Cluster.Disk;
using Harness.FuseProtocol;
using Mono.Unix.Native;

namespace Harness.Cluster.Chunks.Store;

/// <summary>Slots of one size: a file of their blocks, and one of their heads, each a header and the blocks' sums.</summary>
/// <remarks>
/// A file of a few kilobytes costs the file system under us more in names and inodes than in bytes: to make and remove two for each chunk took
/// most of a chunk server's time for small files. A slot costs two writes into the page cache and, when it is given back, with its neighbours,
/// one. A head lies within one sector, so that a power cut leaves it old or new. A slot without a valid head is free.
/// </remarks>
/// <param name="disk">Where the files are, which are made when they are first needed.</param>
/// <param name="blocks">Blocks of a slot.</param>
internal sealed class SlotFile(IDisk disk, int blocks)
{
    /// <summary>A slot of so many blocks has a head of a sector, the most that a power cut does not tear.</summary>
    public const int BlocksMax = (SectorBytes - ChunkHeader.Bytes) / BlockSum.EntryBytes;

    private const int SectorBytes = 512;
    private const int LoadedBytes = 1 << 20;

    /// <summary>Free slots next to each other give their space back to the file system from so many bytes on.</summary>
    private const int PunchedBytesMin = 64 << 10;

    private readonly PriorityQueue<int, int> _free = new();
    private IDiskFile? _blocks;
    private IDiskFile? _heads;
    private int _end;
    private bool _blocksChanged;
    private bool _headsChanged;

    /// <summary>Blocks of a slot.</summary>
    public int Blocks => blocks;

    /// <summary>Bytes of a slot's head: a power of two, so that none lies across sectors.</summary>
    public int HeadBytes { get; } = (int)BitOperations.RoundUpToPowerOf2((uint)(ChunkHeader.Bytes + (blocks * BlockSum.EntryBytes)));

    /// <summary>Whether the files were made and their directory was not synced since.</summary>
    public bool HasNewNames { get; set; }

    /// <summary>Reads all heads.</summary>
    /// <param name="found">Is told of each slot that is taken.</param>
    public async ValueTask<Errno> Load(Action<int, ChunkHeader> found)
    {
        Errno error = await Open(OpenMode.Existing);
        if (error != Errnos.Ok)
        {
            return error == Errno.ENOENT ? Errnos.Ok : error;
        }

        var heads = new byte[LoadedBytes];
        while (true)
        {
            Result<int> read = await _heads!.Read((long)_end * HeadBytes, heads);
            if (!read.IsOk || read.Value < HeadBytes)
            {
                return read.Error;
            }

            for (int at = 0; at + HeadBytes <= read.Value; at += HeadBytes, _end++)
            {
                if (ChunkHeader.TryRead(heads.AsSpan(at, HeadBytes), out ChunkHeader header))
                {
                    found(_end, header);
                }
                else
                {
                    _free.Enqueue(_end, _end);
                }
            }
        }
    }

    /// <summary>Takes a free slot, the first one.</summary>
    public async ValueTask<Result<Slot>> Take()
    {
        Errno error = _blocks is null ? await Open(OpenMode.Create) : Errnos.Ok;
        return error == Errnos.Ok ? new Slot(this, _free.Count > 0 ? _free.Dequeue() : _end++) : error;
    }

    /// <summary>Gives a slot back into which nothing was written.</summary>
    public void Untake(int slot) => _free.Enqueue(slot, slot);

    /// <summary>Gives slots back: their heads are no more, and where many neighbours are, nor are their blocks.</summary>
    /// <param name="slots">The slots.</param>
    /// <param name="freed">Is told of each that is free now, also where others could not be given back.</param>
    public async ValueTask<Errno> Free(IEnumerable<int> slots, Action<int> freed)
    {
        int[] sorted = [.. slots.Order()];
        Errno error = Errnos.Ok;
        for (int from = 0, to; from < sorted.Length && error == Errnos.Ok; from = to)
        {
            for (to = from + 1; to < sorted.Length && sorted[to] == sorted[to - 1] + 1;)
            {
                to++;
            }

            error = await FreeRun(sorted[from], to - from, freed);
        }

        return error;
    }

    /// <summary>Reads a slot's head; one that was never written is zero.</summary>
    public async ValueTask<Errno> ReadHead(int slot, Memory<byte> head)
    {
        Result<int> read = await _heads!.Read((long)slot * HeadBytes, head);
        return read.Error;
    }

    /// <summary>Writes a slot's head.</summary>
    public ValueTask<Errno> WriteHead(int slot, ReadOnlyMemory<byte> head)
    {
        _headsChanged = true;
        return _heads!.Write((long)slot * HeadBytes, head);
    }

    /// <summary>Reads from the file of blocks.</summary>
    public ValueTask<Result<int>> ReadBlocks(long offset, Memory<byte> buffer) => _blocks!.Read(offset, buffer);

    /// <summary>Writes to the file of blocks.</summary>
    public ValueTask<Errno> WriteBlocks(long offset, ReadOnlyMemory<byte> first, ReadOnlyMemory<byte> second)
    {
        _blocksChanged = true;
        return _blocks!.Write(offset, first, second);
    }

    /// <summary>Makes part of the file of blocks zero.</summary>
    public ValueTask<Errno> PunchBlocks(long offset, long length)
    {
        _blocksChanged = true;
        return _blocks!.PunchHole(offset, length);
    }

    /// <summary>Makes all slots' blocks survive a power cut.</summary>
    public async ValueTask<Errno> SyncBlocks()
    {
        if (!_blocksChanged)
        {
            return Errnos.Ok;
        }

        _blocksChanged = false;
        Errno error = await _blocks!.Sync();
        _blocksChanged |= error != Errnos.Ok;
        return error;
    }

    /// <summary>Makes all slots' heads survive a power cut.</summary>
    public async ValueTask<Errno> SyncHeads()
    {
        if (!_headsChanged)
        {
            return Errnos.Ok;
        }

        _headsChanged = false;
        Errno error = await _heads!.Sync();
        _headsChanged |= error != Errnos.Ok;
        return error;
    }

    /// <summary>Closes the files.</summary>
    public void Close()
    {
        _blocks?.Dispose();
        _heads?.Dispose();
        (_blocks, _heads) = (null, null);
    }

    private async ValueTask<Errno> Open(OpenMode mode)
    {
        Result<IDiskFile> data = await disk.Open($"chunks/slots-{blocks}.data", mode);
        if (!data.IsOk)
        {
            return data.Error;
        }

        Result<IDiskFile> heads = await disk.Open($"chunks/slots-{blocks}.heads", mode);
        if (!heads.IsOk)
        {
            data.Value.Dispose();
            return heads.Error;
        }

        (_blocks, _heads, HasNewNames) = (data.Value, heads.Value, true);
        return Errnos.Ok;
    }

    private async ValueTask<Errno> FreeRun(int first, int count, Action<int> freed)
    {
        _headsChanged = true;
        Errno error = await _heads!.Write((long)first * HeadBytes, new byte[count * HeadBytes]);
        long bytes = (long)count * blocks * BlockSum.BlockBytes;
        if (error == Errnos.Ok && bytes >= PunchedBytesMin)
        {
            error = await PunchBlocks((long)first * blocks * BlockSum.BlockBytes, bytes);
        }

        for (int slot = first; slot < first + count && error == Errnos.Ok; slot++)
        {
            _free.Enqueue(slot, slot);
            freed(slot);
        }

        return error;
    }
}
