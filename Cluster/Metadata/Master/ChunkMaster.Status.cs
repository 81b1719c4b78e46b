using Harness.Cluster.Wire;

namespace Harness.Cluster.Metadata.Master;

/// <content>What people want to know.</content>
internal sealed partial class ChunkMaster
{
    /// <inheritdoc/>
    public void Describe(ClusterStatus status)
    {
        (status.Replicas, status.ReplicasMin) = ((uint)_options.Replicas, (uint)_options.ReplicasMin);
        foreach (ServerRecord record in State.Servers.Values)
        {
            ChunkServerState? server = _servers.GetValueOrDefault(record.Id);
            bool isAlive = server is not null && server.LeaseUntil >= _loop.NowNanoseconds;
            status.Servers.Add(new ServerStatus
            {
                Server = record.Id,
                Address = record.Address,
                Host = record.Host,
                State = record.State != ServerState.Active ? record.State.ToString().ToLowerInvariant() : isAlive ? "active" : "offline",
                Bytes = server?.Report.TotalBytes ?? 0,
                FreeBytes = server?.Report.FreeBytes ?? 0,
                Chunks = server?.Report.Replicas ?? 0,
                Incarnation = record.Incarnation,
            });
        }

        foreach (ulong chunk in State.ChunkIds)
        {
            if (State.TryGetChunk(chunk, out ChunkRecord record))
            {
                Count(status, chunk, record);
            }
        }
    }

    /// <summary>
    /// Healthy: all replicas there. Degraded: fewer, and more than the least number. Urgent: at the least number. Blocked: below it. Offline: none.
    /// </summary>
    private void Count(ClusterStatus status, ulong chunk, ChunkRecord record)
    {
        int whole = record.Servers.Count(id => IsWhole(id, chunk, record));
        status.Replicating += _copying.Contains(chunk) ? 1u : 0u;
        status.Healthy += whole >= _options.Replicas ? 1u : 0u;
        status.Degraded += whole < _options.Replicas && whole > _options.ReplicasMin ? 1u : 0u;
        status.Urgent += whole < _options.Replicas && whole == _options.ReplicasMin ? 1u : 0u;
        status.Blocked += whole < _options.ReplicasMin && whole > 0 ? 1u : 0u;
        status.Offline += whole == 0 ? 1u : 0u;
    }

    /// <summary>Checks what the metadata say of chunks against what servers have.</summary>
    /// <returns>One line for each thing that is not as it should be.</returns>
    public IReadOnlyList<string> Check()
    {
        List<string> findings = [];
        foreach (ulong chunk in State.ChunkIds.Order())
        {
            State.TryGetChunk(chunk, out ChunkRecord record);
            int whole = record.Servers.Count(id => IsWhole(id, chunk, record));
            if (whole < _options.Replicas)
            {
                findings.Add($"chunk {chunk:x16} of inode {record.Inode} (index {record.Index}) has {whole} of {_options.Replicas} replicas");
            }
        }

        foreach (ChunkServerState server in _servers.Values)
        {
            foreach (ulong chunk in server.Stale.Order())
            {
                findings.Add($"server {server.Id} has a replica of chunk {chunk:x16} that is not up to date");
            }
        }

        return findings;
    }
}
