using Harness.Cluster.Disk;
using Harness.FuseProtocol;
using Mono.Unix.Native;

namespace Harness.Cluster.Chunks.Store;

/// <summary>A chunk's two files: one of blocks, one of their sums behind a page with the header.</summary>
internal sealed class OwnFiles : ChunkHome
{
    /// <summary>What the names of files of sums end with.</summary>
    public const string SumsSuffix = ".sums";

    private const int HeaderBytes = 4096;

    private readonly IDiskFile _sums;

    private OwnFiles(IDiskFile blocks, IDiskFile sums) => (Blocks, _sums) = (blocks, sums);

    /// <inheritdoc/>
    public override IDiskFile Blocks { get; }

    /// <inheritdoc/>
    public override int Room => int.MaxValue;

    /// <summary>Makes them for a chunk that has none.</summary>
    /// <param name="disk">Where.</param>
    /// <param name="header">What is known of the chunk.</param>
    /// <param name="keepsBlocks">
    /// Whether blocks stay that are there: while the journal is replayed they may have been written straight, and those that the journal knows
    /// nothing of are never looked at.
    /// </param>
    public static async ValueTask<Result<OwnFiles>> Make(IDisk disk, ChunkHeader header, bool keepsBlocks)
    {
        Result<OwnFiles> opened = await OpenBoth(disk, header.Id, OpenMode.Create);
        if (!opened.IsOk)
        {
            return opened.Error;
        }

        OwnFiles files = opened.Value;
        // New files, as nearly all are, need not be emptied, which would be a thread hop each.
        Errno error = !keepsBlocks && files.Blocks.Length > 0 ? await files.Blocks.Truncate(0) : Errnos.Ok;
        error = error == Errnos.Ok && files._sums.Length > 0 ? await files._sums.Truncate(0) : error;
        error = error == Errnos.Ok ? await files.SaveHeader(header) : error;
        if (error != Errnos.Ok)
        {
            files.Dispose();
            return error;
        }

        return files;
    }

    /// <summary>Opens those of a chunk.</summary>
    public static ValueTask<Result<OwnFiles>> Open(IDisk disk, ChunkId id) => OpenBoth(disk, id, OpenMode.Existing);

    /// <summary>Reads a chunk's header alone.</summary>
    public static async ValueTask<Result<ChunkHeader>> Peek(IDisk disk, ChunkId id)
    {
        Result<IDiskFile> file = await disk.Open(SumsName(id), OpenMode.Existing);
        if (!file.IsOk)
        {
            return file.Error;
        }

        using IDiskFile opened = file.Value;
        return await ReadHeader(opened, id);
    }

    /// <summary>Removes a chunk's files; that there are none is no error.</summary>
    public static async ValueTask<Errno> Delete(IDisk disk, ChunkId id)
    {
        Errno sums = await disk.Delete(SumsName(id));
        Errno blocks = await disk.Delete(BlocksName(id));
        Errno error = sums is Errnos.Ok or Errno.ENOENT ? blocks : sums;
        return error == Errno.ENOENT ? Errnos.Ok : error;
    }

    /// <inheritdoc/>
    public override async ValueTask<Result<ChunkHeader>> Load(ChunkId id, SumTable sums)
    {
        Result<ChunkHeader> header = await ReadHeader(_sums, id);
        Errno error = header.IsOk ? await sums.Load(_sums) : header.Error;
        return error == Errnos.Ok ? header : error;
    }

    /// <inheritdoc/>
    public override async ValueTask<Errno> Save(ChunkHeader header, SumTable sums)
    {
        Errno error = await sums.Save(_sums);
        return error == Errnos.Ok ? await SaveHeader(header) : error;
    }

    /// <inheritdoc/>
    public override ValueTask<Errno> SyncSums() => _sums.Sync();

    /// <inheritdoc/>
    public override void Dispose()
    {
        Blocks.Dispose();
        _sums.Dispose();
    }

    private static string BlocksName(ChunkId id) => $"chunks/{id}.data";

    private static string SumsName(ChunkId id) => $"chunks/{id}{SumsSuffix}";

    private static async ValueTask<Result<OwnFiles>> OpenBoth(IDisk disk, ChunkId id, OpenMode mode)
    {
        Result<IDiskFile> blocks = await disk.Open(BlocksName(id), mode);
        if (!blocks.IsOk)
        {
            return blocks.Error;
        }

        Result<IDiskFile> sums = await disk.Open(SumsName(id), mode);
        if (!sums.IsOk)
        {
            blocks.Value.Dispose();
            return sums.Error;
        }

        return new OwnFiles(blocks.Value, sums.Value);
    }

    private static async ValueTask<Result<ChunkHeader>> ReadHeader(IDiskFile sums, ChunkId id)
    {
        var page = new byte[HeaderBytes];
        Result<int> read = await sums.Read(0, page);
        return !read.IsOk ? read.Error
            : read.Value == HeaderBytes && ChunkHeader.TryRead(page, out ChunkHeader header) && header.Id == id ? header
            : Errno.ENOENT;
    }

    private ValueTask<Errno> SaveHeader(ChunkHeader header)
    {
        var page = new byte[HeaderBytes];
        header.Seal(page);
        return _sums.Write(0, page);
    }
}
