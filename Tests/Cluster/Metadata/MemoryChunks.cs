using Harness.Cluster.Chunks;
using Harness.Cluster.Client;
using Harness.Cluster.Metadata;
using Harness.Cluster.Metadata.Server;
using Harness.Cluster.Wire;
using Harness.FuseProtocol;
using Harness.Runtime;
using Mono.Unix.Native;

namespace Harness.Tests.Cluster.Metadata;

/// <summary>Chunk servers that never fail: what metadata and clients are tested against. Pages that were never written are holes.</summary>
internal sealed class MemoryChunks : IChunkServers
{
    private const int PageBytes = 4096;
    private const long DelayNanoseconds = 50_000;

    private readonly Dictionary<(ulong Chunk, long Page), byte[]> _pages = [];

    public int Writes { get; private set; }

    /// <summary>Those of the writes that were to be synced.</summary>
    public int DurableWrites { get; private set; }

    public int Syncs { get; private set; }

    /// <summary>What syncs wait for; null lets them end at once.</summary>
    public TaskCompletionSource? SyncsHeld { get; set; }

    public int DroppedChunks { get; private set; }

    public (ulong Bytes, ulong Free) Space => (3UL << 40, 3UL << 40);

    public Errno Place(ICollection<uint> chain)
    {
        chain.Add(1);
        return Errnos.Ok;
    }

    public Task Created(IReadOnlyList<ChunkLocation> locations) => Task.CompletedTask;

    public Task EndSession(ulong session) => Task.CompletedTask;

    public void Dropped(ulong chunk, ChunkRecord record)
    {
        DroppedChunks++;
        foreach ((ulong Chunk, long Page) page in _pages.Keys.Where(page => page.Chunk == chunk).ToArray())
        {
            _pages.Remove(page);
        }
    }

    public void Describe(ClusterStatus status)
    {
    }

    /// <summary>The same chunks as one client reaches them.</summary>
    public IChunkData For(ILoop loop) => new Access(this, loop);

    private sealed class Access(MemoryChunks chunks, ILoop loop) : IChunkData
    {
        public void Learn(IEnumerable<ServerAddress> servers)
        {
        }

        public bool Knows(ChunkLocation location) => true;

        public async ValueTask<Errno> Read(ChunkLocation location, long offset, Memory<byte> buffer)
        {
            await Waits.Delay(loop, DelayNanoseconds);
            for (int done = 0; done < buffer.Length;)
            {
                (long page, int within, int length) = Piece(offset + done, buffer.Length - done);
                if (chunks._pages.TryGetValue((location.Chunk, page), out byte[]? bytes))
                {
                    bytes.AsSpan(within, length).CopyTo(buffer.Span[done..]);
                }
                else
                {
                    buffer.Span.Slice(done, length).Clear();
                }

                done += length;
            }

            return Errnos.Ok;
        }

        public async ValueTask<Errno> Write(ChunkLocation location, long offset, ReadOnlyMemory<byte> data, ChunkWriteFlags flags)
        {
            await Waits.Delay(loop, DelayNanoseconds);
            chunks.Writes++;
            chunks.DurableWrites += (flags & ChunkWriteFlags.Durable) != 0 ? 1 : 0;
            for (int done = 0; done < data.Length;)
            {
                (long page, int within, int length) = Piece(offset + done, data.Length - done);
                if (!chunks._pages.TryGetValue((location.Chunk, page), out byte[]? bytes))
                {
                    chunks._pages.Add((location.Chunk, page), bytes = new byte[PageBytes]);
                }

                data.Span.Slice(done, length).CopyTo(bytes.AsSpan(within));
                done += length;
            }

            return Errnos.Ok;
        }

        public async ValueTask<Errno> Zero(ChunkLocation location, long offset, long length)
        {
            await Waits.Delay(loop, DelayNanoseconds);
            for (long done = 0; done < length;)
            {
                (long page, int within, int piece) = Piece(offset + done, (int)Math.Min(int.MaxValue, length - done));
                if (piece == PageBytes)
                {
                    chunks._pages.Remove((location.Chunk, page));
                }
                else if (chunks._pages.TryGetValue((location.Chunk, page), out byte[]? bytes))
                {
                    bytes.AsSpan(within, piece).Clear();
                }

                done += piece;
            }

            return Errnos.Ok;
        }

        public async ValueTask<Errno> Sync(ChunkLocation location)
        {
            chunks.Syncs++;
            if (chunks.SyncsHeld is { } held)
            {
                await held.Task;
            }

            return Errnos.Ok;
        }

        public ValueTask<Result<long>> Seek(ChunkLocation location, long offset, bool data, long chunkBytes)
        {
            for (long at = offset; at < chunkBytes; at = ((at / PageBytes) + 1) * PageBytes)
            {
                if (chunks._pages.ContainsKey((location.Chunk, at / PageBytes)) == data)
                {
                    return new(at);
                }
            }

            return new(chunkBytes);
        }

        private static (long Page, int Within, int Length) Piece(long offset, int length)
        {
            int within = (int)(offset % PageBytes);
            return (offset / PageBytes, within, Math.Min(length, PageBytes - within));
        }
    }
}
