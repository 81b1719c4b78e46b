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

/// <summary>One chunk of a store: where it lies, its sums, and what of it waits for the journal to be synced.</summary>
internal sealed class StoredChunk : IDisposable
{
    private long _straightSynced;

    private StoredChunk(ChunkId id, int blocks)
    {
        Id = id;
        Sums = new SumTable(blocks);
    }

    public ChunkId Id { get; }

    /// <summary>Where it lies on the disk; null while the journal has all of a new chunk.</summary>
    public ChunkHome? Home { get; set; }

    /// <summary>The blocks. There is none without a <see cref="Home"/>.</summary>
    public IDiskFile Data => Home!.Blocks;

    /// <summary>Whether it was removed.</summary>
    public bool IsGone { get; private set; }

    /// <summary>What <see cref="Data"/> holds.</summary>
    public SumTable Sums { get; }

    /// <summary>What is newer than that.</summary>
    public Dictionary<int, PendingBlock> Pending { get; } = [];

    /// <summary>Mutations go one after the other.</summary>
    public LoopGate Gate { get; } = new();

    /// <summary>Who gives it another <see cref="Home"/>, or takes it, does so alone.</summary>
    public LoopGate HomeGate { get; } = new();

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

    /// <summary>What the disk is to have of it besides blocks and sums.</summary>
    public ChunkHeader Header => new(Id, Version, Sequence, BornLsn);

    /// <summary>An empty chunk, of which nothing is on the disk but its journal record.</summary>
    public static StoredChunk Create(ChunkId id, ulong version, ulong bornLsn, int blocks) =>
        new(id, blocks) { Version = version, BornLsn = bornLsn, LastLsn = bornLsn, IsNew = true };

    /// <summary>Opens a chunk.</summary>
    /// <param name="id">The chunk.</param>
    /// <param name="home">Where it lies; the chunk's from now on.</param>
    /// <param name="blocks">The most it can have.</param>
    /// <returns>ENOENT if there is none, or none whose header was ever synced.</returns>
    public static async ValueTask<Result<StoredChunk>> Open(ChunkId id, ChunkHome home, int blocks)
    {
        var chunk = new StoredChunk(id, blocks) { Home = home };
        Result<ChunkHeader> header = await home.Load(id, chunk.Sums);
        if (!header.IsOk)
        {
            chunk.Dispose();
            return header.Error;
        }

        (_, chunk.Version, chunk.Sequence, chunk.BornLsn) = header.Value;
        chunk.HighWater = chunk.Sums.End;
        home.IsSettled = true;
        return chunk;
    }

    /// <summary>A block's newest sum.</summary>
    public BlockSum SumOf(int block) => Pending.TryGetValue(block, out PendingBlock pending) ? pending.Sum : Sums[block];

    /// <summary>
    /// Everything survives a power cut, header and names too, that was there when <paramref name="straight"/> was <see cref="StraightWrites"/>.
    /// </summary>
    public void NoteSynced(long straight) => _straightSynced = Math.Max(_straightSynced, straight);

    /// <summary>Writes sums and header, after the blocks that they are about were synced.</summary>
    public async ValueTask<Errno> SaveSums()
    {
        HeaderChanged = false;
        Errno error = await Home!.Save(Header, Sums);
        HeaderChanged |= error != Errnos.Ok;
        return error;
    }

    /// <summary>
    /// Makes what was written straight survive a power cut, and with it the header and names of new files. All else is in the journal, which
    /// makes a new chunk again if it must.
    /// </summary>
    public async ValueTask<Errno> SyncStraight(IDisk disk)
    {
        long straight = StraightWrites;
        if (_straightSynced >= straight || Home is not { } home)
        {
            return Errnos.Ok;
        }

        bool isNew = !home.IsSettled;
        Errno error = await home.Blocks.Sync();
        error = error == Errnos.Ok && isNew ? await home.SyncSums() : error;
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
    /// <returns>Where it lay.</returns>
    public async ValueTask<ChunkHome?> Discard()
    {
        IsGone = true;
        GiveUpPending();
        await HomeGate.Enter();
        if (Users == 0)
        {
            Dispose();
        }

        HomeGate.Leave();
        return Home;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        GiveUpPending();
        Home?.Dispose();
    }

    private void GiveUpPending()
    {
        foreach (PendingBlock pending in Pending.Values)
        {
            pending.Data?.Release();
        }

        Pending.Clear();
    }
}
