using Harness.Cluster.Chunks;
using Harness.Cluster.Chunks.Store;
using Harness.Cluster.Metadata;
using Harness.FuseProtocol;
using Mono.Unix.Native;

namespace Harness.Cluster.Checking;

/// <summary>
/// What must be true of a cluster that nobody uses and nothing is wrong with: every replica is the same as the others, and nothing is left over.
/// </summary>
internal static class RestingCluster
{
    private const long LimitNanoseconds = 60_000_000_000;

    /// <summary>Looks at every block of every replica.</summary>
    public static IEnumerable<Violation> Check(CheckedCluster cluster)
    {
        foreach (string finding in cluster.Metadata!.Master.Check())
        {
            yield return new Violation($"at rest: {finding}", []);
        }

        foreach (ulong chunk in cluster.State.ChunkIds.Order().ToArray())
        {
            cluster.State.TryGetChunk(chunk, out ChunkRecord record);
            CheckedServer[] servers = [.. record.Servers.Select(id => cluster.Servers[id - 1])];
            byte[]?[][] replicas = [.. servers.Select(server => cluster.Run(server.Loop, () => Read(server, chunk), "a replica's blocks", LimitNanoseconds))];
            for (int block = 0; block < replicas[0].Length; block++)
            {
                foreach (Violation violation in Compare(chunk, block, servers, [.. replicas.Select(replica => replica[block])]))
                {
                    yield return violation;
                }
            }
        }
    }

    private static IEnumerable<Violation> Compare(ulong chunk, int block, CheckedServer[] servers, byte[]?[] replicas)
    {
        byte[]? sound = Array.Find(replicas, static replica => replica is not null);
        for (int i = 0; i < replicas.Length; i++)
        {
            if (replicas[i] is null && !servers[i].HasRotted)
            {
                yield return new Violation($"at rest: block {block} of chunk {chunk} cannot be read on {servers[i].Host}", []);
            }
            else if (replicas[i] is { } bytes && !bytes.AsSpan().SequenceEqual(sound))
            {
                yield return new Violation($"at rest: block {block} of chunk {chunk} on {servers[i].Host} is not what it is elsewhere", []);
            }
        }
    }

    /// <summary>A replica's blocks; null where one cannot be read.</summary>
    private static async Task<byte[]?[]> Read(CheckedServer server, ulong chunk)
    {
        var blocks = new byte[]?[Schedule.ChunkCells / Call.CellsPerBlock];
        Result<StoredChunk> stored = await server.Server!.Store.Get(new ChunkId(chunk));
        for (int block = 0; block < blocks.Length && stored.IsOk; block++)
        {
            var bytes = new byte[BlockSum.BlockBytes];
            Errno error = await server.Server.Store.ReadBlocks(stored.Value, block, bytes, default);
            blocks[block] = error == Errnos.Ok ? bytes : null;
        }

        return blocks;
    }
}
