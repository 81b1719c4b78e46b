using System.Runtime.InteropServices;
using Harness.Cluster.Disk;
using Harness.Cluster.Net;
using Harness.FuseProtocol;
using Mono.Unix.Native;

namespace Harness.Cluster.Chunks.Store;

/// <summary>The newest state of a block that is not yet in the chunk file, or whose sum is not yet in the table.</summary>
/// <param name="Sum">Its sum.</param>
/// <param name="Lsn">Its journal record.</param>
/// <param name="Data">Holds its data, one reference of it; null if that lies in the chunk file already or is zero.</param>
/// <param name="DataOffset">Where in <paramref name="Data"/>.</param>
internal readonly record struct PendingBlock(BlockSum Sum, ulong Lsn, PayloadBuffer? Data, int DataOffset);

/// <summary>One chunk of a store: its two files, its sums, and what of it waits for the journal to be synced.</summary>
internal sealed class StoredChunk : IDisposable
{
    private const uint HeaderMagic = 0x314D4348;
    private const int HeaderBytes = 4096;

    private readonly IDiskFile _sumFile;
    private long _straightSynced;

    private StoredChunk(ChunkId id, IDiskFile data, IDiskFile sums, int blocks)
    {
        Id = id;
        Data = data;
        _sumFile = sums;
        Sums = new SumTable(blocks);
    }

    public ChunkId Id { get; }

    /// <summary>The blocks.</summary>
    public IDiskFile Data { get; }

    /// <summary>What the chunk file holds.</summary>
    public SumTable Sums { get; }

    /// <summary>What is newer than that.</summary>
    public Dictionary<int, PendingBlock> Pending { get; } = [];

    /// <summary>Mutations go one after the other.</summary>
    public LoopGate Gate { get; } = new();

    /// <summary>The version of the chain that this replica belongs to, or did last.</summary>
    public ulong Version { get; set; }

    /// <summary>The greatest sequence applied.</summary>
    public ulong Sequence { get; set; }

    /// <summary>The journal record that made it: older records are about an earlier chunk of the same name.</summary>
    public ulong BornLsn { get; private set; }

    /// <summary>Its last journal record.</summary>
    public ulong LastLsn { get; set; }

    /// <summary>One past the last block that was ever written to the chunk file: what lies behind may be written straight.</summary>
    public int HighWater { get; set; }

    /// <summary>How many writes went straight to the chunk file.</summary>
    public long StraightWrites { get; set; }

    /// <summary>How many calls use it now; it is not closed meanwhile.</summary>
    public int Users { get; set; }

    /// <summary>Whether its files have never been synced.</summary>
    public bool IsNew { get; set; }

    /// <summary>Whether its header must be saved.</summary>
    public bool HeaderChanged { get; set; }

    /// <summary>Whether a checkpoint has something to do.</summary>
    public bool IsDirty => Sums.IsDirty || HeaderChanged || _straightSynced < StraightWrites || IsNew || Pending.Count > 0;

    public static string DataName(ChunkId id) => $"chunks/{id}.data";

    public static string SumsName(ChunkId id) => $"chunks/{id}.sums";

    /// <summary>Makes an empty chunk.</summary>
    public static async ValueTask<Result<StoredChunk>> Create(IDisk disk, ChunkId id, ulong version, ulong bornLsn, int blocks)
    {
        Result<StoredChunk> opened = await OpenFiles(disk, id, blocks, OpenMode.Create);
        if (!opened.IsOk)
        {
            return opened;
        }

        StoredChunk chunk = opened.Value;
        (chunk.Version, chunk.BornLsn, chunk.IsNew) = (version, bornLsn, true);
        // New files, as nearly all are, need not be emptied, which would be a thread hop each.
        Errno error = chunk.Data.Length > 0 ? await chunk.Data.Truncate(0) : Errnos.Ok;
        error = error == Errnos.Ok && chunk._sumFile.Length > 0 ? await chunk._sumFile.Truncate(0) : error;
        error = error == Errnos.Ok ? await chunk.SaveHeader() : error;
        return error == Errnos.Ok ? chunk : error;
    }

    /// <summary>Opens a chunk.</summary>
    /// <returns>ENOENT if there is none, or none whose header was ever synced.</returns>
    public static async ValueTask<Result<StoredChunk>> Open(IDisk disk, ChunkId id, int blocks)
    {
        Result<StoredChunk> opened = await OpenFiles(disk, id, blocks, OpenMode.Existing);
        if (!opened.IsOk)
        {
            return opened;
        }

        StoredChunk chunk = opened.Value;
        Result<byte[]> found = await ReadHeader(chunk._sumFile, id);
        if (!found.IsOk)
        {
            chunk.Dispose();
            return found.Error;
        }

        byte[] header = found.Value;
        chunk.Version = MemoryMarshal.Read<ulong>(header.AsSpan(16));
        chunk.Sequence = MemoryMarshal.Read<ulong>(header.AsSpan(24));
        chunk.BornLsn = MemoryMarshal.Read<ulong>(header.AsSpan(32));
        Errno error = await chunk.Sums.Load(chunk._sumFile);
        chunk.HighWater = Math.Max(chunk.Sums.End, (int)((chunk.Data.Length + BlockSum.BlockBytes - 1) / BlockSum.BlockBytes));
        return error == Errnos.Ok ? chunk : error;
    }

    /// <summary>A block's newest sum.</summary>
    public BlockSum SumOf(int block) => Pending.TryGetValue(block, out PendingBlock pending) ? pending.Sum : Sums[block];

    /// <summary>Saves header and sums and syncs both files, so that the journal is no longer needed for what was applied.</summary>
    public async ValueTask<Errno> Save()
    {
        long straight = StraightWrites;
        Errno error = await Data.Sync();
        if (error == Errnos.Ok)
        {
            _straightSynced = Math.Max(_straightSynced, straight);
            error = await Sums.Save(_sumFile);
        }

        error = error == Errnos.Ok ? await SaveHeader() : error;
        return error == Errnos.Ok ? await _sumFile.Sync() : error;
    }

    /// <summary>Makes what was written straight survive a power cut, and a new chunk's header.</summary>
    public async ValueTask<Errno> SyncData()
    {
        long straight = StraightWrites;
        Errno error = _straightSynced < straight || IsNew ? await Data.Sync() : Errnos.Ok;
        if (error == Errnos.Ok)
        {
            _straightSynced = Math.Max(_straightSynced, straight);
            error = IsNew ? await _sumFile.Sync() : Errnos.Ok;
        }

        return error;
    }

    /// <summary>Reads a chunk's version and sequence from its header alone.</summary>
    public static async ValueTask<Result<(ulong Version, ulong Sequence)>> Peek(IDisk disk, ChunkId id)
    {
        Result<IDiskFile> file = await disk.Open(SumsName(id), OpenMode.Existing);
        if (!file.IsOk)
        {
            return file.Error;
        }

        using IDiskFile opened = file.Value;
        Result<byte[]> header = await ReadHeader(opened, id);
        return header.IsOk ? (MemoryMarshal.Read<ulong>(header.Value.AsSpan(16)), MemoryMarshal.Read<ulong>(header.Value.AsSpan(24))) : header.Error;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (PendingBlock pending in Pending.Values)
        {
            pending.Data?.Release();
        }

        Pending.Clear();
        Data.Dispose();
        _sumFile.Dispose();
    }

    private static async ValueTask<Result<StoredChunk>> OpenFiles(IDisk disk, ChunkId id, int blocks, OpenMode mode)
    {
        Result<IDiskFile> data = await disk.Open(DataName(id), mode);
        if (!data.IsOk)
        {
            return data.Error;
        }

        Result<IDiskFile> sums = await disk.Open(SumsName(id), mode);
        if (!sums.IsOk)
        {
            data.Value.Dispose();
            return sums.Error;
        }

        return new StoredChunk(id, data.Value, sums.Value, blocks);
    }

    private static async ValueTask<Result<byte[]>> ReadHeader(IDiskFile sums, ChunkId id)
    {
        var header = new byte[HeaderBytes];
        Result<int> read = await sums.Read(0, header);
        if (!read.IsOk)
        {
            return read.Error;
        }

        bool valid = read.Value == HeaderBytes && MemoryMarshal.Read<uint>(header) == HeaderMagic &&
            MemoryMarshal.Read<uint>(header.AsSpan(4)) == Crc32C.Compute(header.AsSpan(8)) && MemoryMarshal.Read<ulong>(header.AsSpan(8)) == id.Value;
        return valid ? header : Errno.ENOENT;
    }

    private ValueTask<Errno> SaveHeader()
    {
        HeaderChanged = false;
        var header = new byte[HeaderBytes];
        MemoryMarshal.Write(header, HeaderMagic);
        MemoryMarshal.Write(header.AsSpan(8), Id.Value);
        MemoryMarshal.Write(header.AsSpan(16), Version);
        MemoryMarshal.Write(header.AsSpan(24), Sequence);
        MemoryMarshal.Write(header.AsSpan(32), BornLsn);
        MemoryMarshal.Write(header.AsSpan(4), Crc32C.Compute(header.AsSpan(8)));
        return _sumFile.Write(0, header);
    }
}
