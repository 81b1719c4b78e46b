using System.Runtime.CompilerServices;
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

    private readonly LoopGate _filesGate = new();
    private IDiskFile? _dataFile;
    private IDiskFile? _sumFile;
    private long _straightSynced;

    private StoredChunk(ChunkId id, int blocks)
    {
        Id = id;
        Sums = new SumTable(blocks);
    }

    public ChunkId Id { get; }

    /// <summary>The blocks. There is none before <see cref="MakeFiles"/>.</summary>
    public IDiskFile Data => _dataFile!;

    /// <summary>Whether its files were made: a new chunk does without as long as the journal has all of it.</summary>
    public bool HasFiles { get; private set; }

    /// <summary>Whether it was removed.</summary>
    public bool IsGone { get; private set; }

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

    /// <summary>One past the last block that was ever written.</summary>
    public int HighWater { get; set; }

    /// <summary>How many writes went straight to the chunk file.</summary>
    public long StraightWrites { get; set; }

    /// <summary>How many calls use it now; it is not closed meanwhile.</summary>
    public int Users { get; set; }

    /// <summary>Whether no checkpoint has saved it yet: the journal has it from its first record on.</summary>
    public bool IsNew { get; set; }

    /// <summary>Whether its header must be saved.</summary>
    public bool HeaderChanged { get; set; }

    /// <summary>Whether a checkpoint has something to do.</summary>
    public bool IsDirty => Sums.IsDirty || HeaderChanged || _straightSynced < StraightWrites || IsNew || Pending.Count > 0;

    public static string DataName(ChunkId id) => $"chunks/{id}.data";

    public static string SumsName(ChunkId id) => $"chunks/{id}.sums";

    /// <summary>An empty chunk, of which nothing is on the disk but its journal record.</summary>
    public static StoredChunk Create(ChunkId id, ulong version, ulong bornLsn, int blocks) =>
        new(id, blocks) { Version = version, BornLsn = bornLsn, LastLsn = bornLsn, IsNew = true };

    /// <summary>Opens a chunk.</summary>
    /// <returns>ENOENT if there is none, or none whose header was ever synced.</returns>
    public static async ValueTask<Result<StoredChunk>> Open(IDisk disk, ChunkId id, int blocks)
    {
        var chunk = new StoredChunk(id, blocks);
        Errno opened = await chunk.OpenFiles(disk, OpenMode.Existing);
        if (opened != Errnos.Ok)
        {
            return opened;
        }

        Result<byte[]> found = await ReadHeader(chunk._sumFile!, id);
        if (!found.IsOk)
        {
            chunk.Dispose();
            return found.Error;
        }

        byte[] header = found.Value;
        chunk.HasFiles = true;
        chunk.Version = MemoryMarshal.Read<ulong>(header.AsSpan(16));
        chunk.Sequence = MemoryMarshal.Read<ulong>(header.AsSpan(24));
        chunk.BornLsn = MemoryMarshal.Read<ulong>(header.AsSpan(32));
        Errno error = await chunk.Sums.Load(chunk._sumFile!);
        chunk.HighWater = chunk.Sums.End;
        return error == Errnos.Ok ? chunk : error;
    }

    /// <summary>A block's newest sum.</summary>
    public BlockSum SumOf(int block) => Pending.TryGetValue(block, out PendingBlock pending) ? pending.Sum : Sums[block];

    /// <summary>Makes its files, unless it has them.</summary>
    /// <returns>ENOENT if it was removed; ENOSPC and its like.</returns>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<Errno> MakeFiles(IDisk disk)
    {
        if (HasFiles)
        {
            return Errnos.Ok;
        }

        await _filesGate.Enter();
        Errno error = IsGone ? Errno.ENOENT : HasFiles ? Errnos.Ok : await MakeEmptyFiles(disk);
        _filesGate.Leave();
        return error;
    }

    /// <summary>
    /// Everything survives a power cut, header and names too, that was there when <paramref name="straight"/> was <see cref="StraightWrites"/>.
    /// </summary>
    public void NoteSynced(long straight) => _straightSynced = Math.Max(_straightSynced, straight);

    /// <summary>Writes sums and header, after the blocks that they are about were synced.</summary>
    public async ValueTask<Errno> SaveSums()
    {
        Errno error = await Sums.Save(_sumFile!);
        return error == Errnos.Ok ? await SaveHeader() : error;
    }

    /// <summary>Saves header and sums and syncs both files, so that the journal is no longer needed for what was applied.</summary>
    public async ValueTask<Errno> Save()
    {
        Errno error = await Data.Sync();
        error = error == Errnos.Ok ? await SaveSums() : error;
        return error == Errnos.Ok ? await _sumFile!.Sync() : error;
    }

    /// <summary>
    /// Makes what was written straight survive a power cut, and with it a new chunk's header and names. All else is in the journal, which makes
    /// a new chunk again if it must.
    /// </summary>
    public async ValueTask<Errno> SyncStraight(IDisk disk)
    {
        long straight = StraightWrites;
        if (_straightSynced >= straight)
        {
            return Errnos.Ok;
        }

        bool isNew = IsNew;
        Errno error = await Data.Sync();
        error = error == Errnos.Ok && isNew ? await _sumFile!.Sync() : error;
        error = error == Errnos.Ok && isNew ? await disk.SyncDirectory("chunks") : error;
        if (error == Errnos.Ok)
        {
            NoteSynced(straight);
        }

        return error;
    }

    /// <summary>
    /// It is removed: gives up what waits, and closes its files. Who uses it now goes on with files that have no name any more, which the collector
    /// closes.
    /// </summary>
    /// <returns>Whether it had files.</returns>
    public async ValueTask<bool> Discard()
    {
        IsGone = true;
        GiveUpPending();
        await _filesGate.Enter();
        bool had = HasFiles;
        if (Users == 0)
        {
            Dispose();
        }

        _filesGate.Leave();
        return had;
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
        GiveUpPending();
        _dataFile?.Dispose();
        _sumFile?.Dispose();
    }

    private void GiveUpPending()
    {
        foreach (PendingBlock pending in Pending.Values)
        {
            pending.Data?.Release();
        }

        Pending.Clear();
    }

    private async ValueTask<Errno> MakeEmptyFiles(IDisk disk)
    {
        Errno error = await OpenFiles(disk, OpenMode.Create);
        if (error != Errnos.Ok)
        {
            return error;
        }

        // New files, as nearly all are, need not be emptied, which would be a thread hop each.
        error = _dataFile!.Length > 0 ? await _dataFile.Truncate(0) : Errnos.Ok;
        error = error == Errnos.Ok && _sumFile!.Length > 0 ? await _sumFile.Truncate(0) : error;
        error = error == Errnos.Ok ? await SaveHeader() : error;
        HasFiles = error == Errnos.Ok;
        if (!HasFiles)
        {
            _dataFile.Dispose();
            _sumFile!.Dispose();
        }

        return error;
    }

    private async ValueTask<Errno> OpenFiles(IDisk disk, OpenMode mode)
    {
        Result<IDiskFile> data = await disk.Open(DataName(Id), mode);
        if (!data.IsOk)
        {
            return data.Error;
        }

        Result<IDiskFile> sums = await disk.Open(SumsName(Id), mode);
        if (!sums.IsOk)
        {
            data.Value.Dispose();
            return sums.Error;
        }

        (_dataFile, _sumFile) = (data.Value, sums.Value);
        return Errnos.Ok;
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
        return _sumFile!.Write(0, header);
    }
}
