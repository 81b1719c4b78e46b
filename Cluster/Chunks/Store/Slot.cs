using Harness.Cluster.Disk;
using Harness.FuseProtocol;
using Mono.Unix.Native;

namespace Harness.Cluster.Chunks.Store;

/// <summary>A small chunk's place among others: blocks in one file, and a head with header and sums in another.</summary>
/// <param name="file">The slots it is one of.</param>
/// <param name="index">Which one.</param>
internal sealed class Slot(SlotFile file, int index) : ChunkHome
{
    private readonly SlotBlocks _blocks = new(file, (long)index * file.Blocks * BlockSum.BlockBytes);

    /// <summary>The slots it is one of.</summary>
    public SlotFile File => file;

    /// <summary>Which one.</summary>
    public int Index => index;

    /// <inheritdoc/>
    public override IDiskFile Blocks => _blocks;

    /// <inheritdoc/>
    public override int Room => file.Blocks;

    /// <inheritdoc/>
    public override async ValueTask<Result<ChunkHeader>> Load(ChunkId id, SumTable sums)
    {
        var head = new byte[file.HeadBytes];
        Errno error = await file.ReadHead(index, head);
        if (error != Errnos.Ok)
        {
            return error;
        }

        if (!ChunkHeader.TryRead(head, out ChunkHeader header) || header.Id != id)
        {
            return Errno.ENOENT;
        }

        sums.Load(head.AsSpan(ChunkHeader.Bytes, file.Blocks * BlockSum.EntryBytes));
        return header;
    }

    /// <inheritdoc/>
    public override ValueTask<Errno> Save(ChunkHeader header, SumTable sums)
    {
        var head = new byte[file.HeadBytes];
        sums.Save(head.AsSpan(ChunkHeader.Bytes, file.Blocks * BlockSum.EntryBytes));
        header.Seal(head);
        return file.WriteHead(index, head);
    }

    /// <inheritdoc/>
    public override ValueTask<Errno> SyncSums() => file.SyncHeads();

    /// <inheritdoc/>
    public override void Dispose()
    {
    }

    /// <summary>The slot's part of the file of blocks.</summary>
    private sealed class SlotBlocks(SlotFile file, long start) : IDiskFile
    {
        public long Length => (long)file.Blocks * BlockSum.BlockBytes;

        public ValueTask<Result<int>> Read(long offset, Memory<byte> buffer) =>
            offset >= Length ? new ValueTask<Result<int>>(0) : file.ReadBlocks(start + offset, buffer[..(int)Math.Min(buffer.Length, Length - offset)]);

        public ValueTask<Errno> Write(long offset, ReadOnlyMemory<byte> data) => Write(offset, data, default);

        public ValueTask<Errno> Write(long offset, ReadOnlyMemory<byte> first, ReadOnlyMemory<byte> second) =>
            offset + first.Length + second.Length <= Length
                ? file.WriteBlocks(start + offset, first, second)
                : throw new ArgumentOutOfRangeException(nameof(offset), offset, $"A slot has {Length} bytes.");

        public ValueTask<Errno> WriteUncached(long offset, ReadOnlyMemory<byte> data) => Write(offset, data);

        public ValueTask<Errno> Sync() => file.SyncBlocks();

        public ValueTask<Errno> Truncate(long length) => throw new NotSupportedException("A slot keeps its size.");

        public ValueTask<Errno> PunchHole(long offset, long length) =>
            offset >= Length ? new ValueTask<Errno>(Errnos.Ok) : file.PunchBlocks(start + offset, Math.Min(length, Length - offset));

        public void Dispose()
        {
        }
    }
}
