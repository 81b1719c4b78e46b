using System.Runtime.InteropServices;
using Harness.Cluster.Chunks;
using Harness.Cluster.Wire;
using Harness.FuseProtocol;

namespace Harness.Cluster.Metadata.Master;

/// <content>Having new chunks made.</content>
internal sealed partial class ChunkMaster
{
    /// <summary>Chunks were made: their servers are told before their first client is.</summary>
    public Task Created(IReadOnlyList<ChunkLocation> locations)
    {
        // Those with the same chain, of which there are few, go in one request.
        List<ChunkLocation> made = [.. locations.Where(IsNew)];
        return made.Count == 0
            ? Task.CompletedTask
            : Task.WhenAll(made.GroupBy(static one => string.Join(' ', one.Servers)).SelectMany(static chain => chain.Chunk(ChunkKind.AllMax)).Select(MakeAll));
    }

    /// <summary>Notes that a chunk is being made. Of one that was made before, servers may lack what was written to it since.</summary>
    private bool IsNew(ChunkLocation location) => location.Made && State.TryGetChunk(location.Chunk, out _) && _repairing.Add(location.Chunk);

    /// <summary>Makes chunks that have the same chain. Whatever cannot be made now is made later.</summary>
    private async Task MakeAll(ChunkLocation[] chunks)
    {
        uint[] servers = [.. chunks[0].Servers];
        bool complete = servers.All(_servers.ContainsKey);
        if (complete)
        {
            var chain = new Chain(FirstVersion, [.. servers.Select(id => new ChainMember(id, _servers[id].Address))]);
            byte[] payload = [.. MemoryMarshal.AsBytes<ulong>(chunks.Select(static one => one.Chunk).ToArray()), .. chain.ToPayload()];
            var message = new ChunkRequest { Version = FirstVersion, Length = (uint)chunks.Length };
            bool[] made = await Task.WhenAll(servers.Select(async id =>
            {
                // Who never says that he has it has no claim to being whole.
                _servers[id].Missing.UnionWith(chunks.Select(static one => one.Chunk));
                bool all = await Ask(id, ChunkKind.CreateAll, message, payload, _options.CallNanoseconds) == Errnos.Ok;
                Note(_servers[id], chunks, all);
                return all;
            }));
            complete = made.All(static one => one);
        }

        foreach (ChunkLocation location in chunks)
        {
            _repairing.Remove(location.Chunk);
            if (!complete || servers.Length < _options.Replicas)
            {
                Queue(location.Chunk);
            }
        }
    }

    /// <summary>
    /// A server was asked to make chunks, and serves them if it has; if it has not said so, nobody knows. Those that were removed meanwhile it may have
    /// made after that.
    /// </summary>
    private void Note(ChunkServerState server, ChunkLocation[] chunks, bool made)
    {
        foreach (ChunkLocation location in chunks)
        {
            if (!State.TryGetChunk(location.Chunk, out ChunkRecord record))
            {
                DeleteSoon(server, location.Chunk);
            }
            else if (made && record.Version == FirstVersion)
            {
                server.Missing.Remove(location.Chunk);
                server.Serving[location.Chunk] = FirstVersion;
            }
            else if (!made)
            {
                server.Behind.Add(location.Chunk);
            }
        }
    }
}
