using Harness.Cluster.Chunks.Server;
using Harness.Cluster.Hosting;
using Harness.Cluster.Wire;
using Harness.Experiments.Observing;
using Harness.FuseProtocol.Tracing;

namespace Harness.Experiments.Clusters;

/// <summary>What each kind of process tells of itself.</summary>
internal static class ServerMetrics
{
    /// <summary>A metadata server.</summary>
    public static async Task<MetricsText> Of(MetadataHost host)
    {
        ClusterStatus status = await host.Status().ConfigureAwait(false);
        (long requests, long mutations, int leases, ulong durable) = await host.Look(
            static server => (server.Requests, server.Mutations, server.Leases, server.Pipeline.DurableIndex)).ConfigureAwait(false);
        var text = new MetricsText();
        text.Counter("mds_requests_total", "Requests served.", requests)
            .Counter("mds_mutations_total", "Requests that change something.", mutations)
            .Gauge("mds_leases", "Leases that clients hold.", leases)
            .Gauge("mds_sessions", "Sessions of clients.", status.Sessions)
            .Gauge("mds_inodes", "Inodes.", status.Inodes)
            .Gauge("mds_term", "The term, which each start begins anew.", status.Term)
            .Gauge("mds_log_index", "The last batch of the log that is applied.", status.LogIndex)
            .Gauge("mds_log_durable_index", "The last batch of the log known to outlive a power cut.", durable);
        foreach (IGrouping<string, ServerStatus> state in status.Servers.GroupBy(static server => server.State))
        {
            text.Gauge("chunk_servers", "Chunk servers by state.", state.Count(), ("state", state.Key));
        }

        foreach ((string state, ulong count) in (IEnumerable<(string, ulong)>)
            [
                ("healthy", status.Healthy), ("degraded", status.Degraded), ("urgent", status.Urgent), ("blocked", status.Blocked),
                ("offline", status.Offline), ("replicating", status.Replicating),
            ])
        {
            text.Gauge("chunks", "Chunks by state; those that are being repaired count beside.", count, ("state", state));
        }

        foreach (ServerStatus server in status.Servers)
        {
            text.Gauge("chunk_server_free_bytes", "Free space of a chunk server.", server.FreeBytes, ("server", $"{server.Server}"));
        }

        return text.Process();
    }

    /// <summary>A chunk server.</summary>
    public static async Task<MetricsText> Of(ChunkServerHost host) => await host.Run(static server =>
    {
        var report = server.Report();
        ChunkServerCounters counters = server.Counters;
        return Task.FromResult(new MetricsText()
            .Counter("cs_reads_total", "Reads of clients.", counters.Reads)
            .Counter("cs_read_bytes_total", "Bytes that they asked for.", counters.ReadBytes)
            .Counter("cs_writes_total", "Writes of clients.", counters.Writes)
            .Counter("cs_written_bytes_total", "Bytes written, for clients and for other replicas.", counters.WrittenBytes)
            .Counter("cs_forwarded_writes_total", "Writes that came from another replica.", counters.Forwards)
            .Counter("cs_syncs_total", "Flushes.", counters.Syncs)
            .Counter("cs_other_requests_total", "All other requests.", counters.Others)
            .Gauge("cs_requests_in_flight", "Requests under way.", report.RequestsInFlight)
            .Gauge("cs_replicas", "Replicas.", report.Replicas)
            .Gauge("cs_payload_bytes", "Memory of payloads.", server.PayloadBytes.Rented, ("state", "used"))
            .Gauge("cs_payload_bytes", "Memory of payloads.", server.PayloadBytes.Free, ("state", "free"))
            .Gauge("cs_lease", "1 while it may serve.", server.HasLease ? 1 : 0)
            .Gauge("cs_total_bytes", "Size of its disk.", report.TotalBytes)
            .Gauge("cs_free_bytes", "Free space.", report.FreeBytes)
            .Process());
    }).ConfigureAwait(false);

    /// <summary>A mount.</summary>
    public static MetricsText Of(RequestMeters meters, string mountPoint)
    {
        var text = new MetricsText();
        IReadOnlyList<OpcodeCounts> all = meters.Count();
        Each("fuse_requests_total", "Requests of the kernel by operation.", static counts => counts.Requests);
        Each("fuse_errors_total", "Requests that were answered with an error.", static counts => counts.Errors);
        Each("fuse_in_bytes_total", "Bytes of requests.", static counts => counts.BytesIn);
        Each("fuse_out_bytes_total", "Bytes of replies.", static counts => counts.BytesOut);
        return text.Process();

        void Each(string name, string help, Func<OpcodeCounts, long> value)
        {
            foreach (OpcodeCounts counts in all)
            {
                text.Counter(name, help, value(counts), ("operation", KernelNames.Of(counts.Opcode)), ("mount_point", mountPoint));
            }
        }
    }
}
