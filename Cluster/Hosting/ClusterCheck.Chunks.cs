using Harness.Cluster.Chunks;
using Harness.Cluster.Net;
using Harness.Cluster.Wire;
using Harness.FuseProtocol;

namespace Harness.Cluster.Hosting;

/// <content>One chunk after another.</content>
internal sealed partial class ClusterCheck
{
    private async ValueTask CheckAll(bool scrub)
    {
        ulong[] all = [.. _chunks.Keys.Union(_servers.Values.SelectMany(static server => server.Replicas.Keys)).Order()];
        List<ulong> suspicious = [];
        foreach (ulong[] some in all.Chunk(ChunksAtOnce))
        {
            IReadOnlyList<CheckFinding>[] found = await Task.WhenAll(some.Select(chunk => Judge(chunk).AsTask()));
            suspicious.AddRange(some.Where((_, i) => found[i].Count > 0));
        }

        if (suspicious.Count > 0)
        {
            await LoopYield.Delay(_loop, SecondLookNanoseconds);
        }

        foreach (ulong chunk in suspicious)
        {
            await LookAgain(chunk);
            _findings.AddRange(await Judge(chunk));
        }

        if (scrub)
        {
            foreach (ServerView server in _servers.Values.Where(static server => server.Answers))
            {
                foreach (ulong chunk in server.Replicas.Keys.ToArray())
                {
                    await Scrub(server, chunk);
                }
            }
        }
    }

    /// <summary>Reads anew what is known of a chunk, on both sides: the replicas first, as the first time.</summary>
    private async ValueTask LookAgain(ulong chunk)
    {
        foreach (ServerView server in _servers.Values.Where(static server => server.Answers))
        {
            server.Replicas.Remove(chunk);
            if (await List(server, chunk - 1, 1) is [var replica] && replica.Chunk == chunk)
            {
                server.Replicas[chunk] = replica;
            }
        }

        Result<MetadataReply> reply = await Ask(new MetadataRequest { ListChunks = new ListChunks { After = chunk - 1, Count = 1 } });
        _chunks.Remove(chunk);
        if (reply.IsOk && reply.Value.Chunks is [var location] && location.Chunk == chunk)
        {
            _chunks[chunk] = location;
        }
    }

    private async ValueTask<IReadOnlyList<CheckFinding>> Judge(ulong chunk)
    {
        List<CheckFinding> found = [];
        void Add(FindingKind kind, uint server, string text) => found.Add(new CheckFinding(kind, chunk, server, $"chunk {chunk:x16}: {text}"));
        if (!_chunks.TryGetValue(chunk, out ChunkLocation? location))
        {
            foreach (ServerView server in _servers.Values.Where(server => server.Replicas.ContainsKey(chunk)))
            {
                Add(FindingKind.Orphan, server.Id, $"server {server.Id} has a replica, and no file has the chunk");
            }

            return found;
        }

        string file = $"of inode {location.Inode}, index {location.Index}";
        int whole = location.Servers.Count - (location.TailJoins ? 1 : 0);
        if (whole < _status.Replicas)
        {
            Add(FindingKind.FewReplicas, 0, $"{file} has {whole} of {_status.Replicas} replicas");
        }

        foreach (ServerView server in _servers.Values.Where(static server => server.Answers))
        {
            bool isMember = location.Servers.Contains(server.Id);
            bool isThere = server.Replicas.TryGetValue(chunk, out ReplicaReport replica);
            if (isMember && !isThere)
            {
                Add(FindingKind.MissingReplica, server.Id, $"{file}: server {server.Id} belongs to its chain and has no replica");
            }
            else if (isMember && replica.Version != location.Version)
            {
                Add(FindingKind.OtherVersion, server.Id, $"{file}: server {server.Id} has version {replica.Version}, the metadata say {location.Version}");
            }
            else if (!isMember && isThere)
            {
                Add(FindingKind.Orphan, server.Id, $"{file}: server {server.Id} has a replica and does not belong to its chain");
            }
        }

        if (await AreEqual(location) is string difference)
        {
            Add(FindingKind.Unequal, 0, $"{file}: {difference}");
        }

        return found;
    }

    /// <summary>Compares the replicas of a chunk that nobody writes to now.</summary>
    /// <returns>How they differ; null if they do not, or cannot be compared.</returns>
    private async ValueTask<string?> AreEqual(ChunkLocation location)
    {
        List<(uint Server, ChunkReply Digest)> digests = [];
        foreach (uint id in location.Servers.SkipLast(location.TailJoins ? 1 : 0))
        {
            if (_servers.TryGetValue(id, out ServerView? server) && server.Answers && server.Replicas.ContainsKey(location.Chunk))
            {
                RpcReply reply = await Ask(server, ChunkKind.Digest, new ChunkRequest { Chunk = location.Chunk }, CallNanoseconds);
                if (reply.IsOk)
                {
                    digests.Add((id, reply.Read<ChunkReply>()));
                }
            }
        }

        return digests.Select(static one => one.Digest.Crc).Distinct().Count() <= 1 ? null : "its replicas differ: " + string.Join(
            ", ", digests.Select(static one => $"server {one.Server} has digest {one.Digest.Crc:x8} at {new BlockStamp(one.Digest.Stamp)}"));
    }

    private async ValueTask Scrub(ServerView server, ulong chunk)
    {
        RpcReply reply = await Ask(server, ChunkKind.Scrub, new ChunkRequest { Chunk = chunk }, ScrubNanoseconds);
        if (!reply.IsOk)
        {
            return;
        }

        ScrubReply result = reply.Read<ScrubReply>();
        (_scrubbed, _repaired) = (_scrubbed + result.Blocks, _repaired + result.Repaired);
        if (result.Damaged > 0)
        {
            _findings.Add(new CheckFinding(
                FindingKind.Damaged,
                chunk,
                server.Id,
                $"chunk {chunk:x16}: {result.Damaged} blocks on server {server.Id} did not match their checksums; {result.Repaired} of them were repaired"));
        }
    }
}
