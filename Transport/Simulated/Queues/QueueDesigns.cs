using Harness.Transport.Simulated.Requests;

namespace Harness.Transport.Simulated.Queues;

/// <summary>The designs of request queues by name, those that Linux has under the names of the real channels.</summary>
internal static class QueueDesigns
{
    private static readonly Dictionary<string, Func<FuseConnection, int, RequestQueue>> s_designs = new()
    {
        ["dev-fuse"] = static (connection, _) => new DeviceQueue(connection, processingQueues: 1),
        ["clone"] = static (connection, readers) => new DeviceQueue(connection, readers),
        ["io-uring"] = static (connection, _) => CpuQueues.Rings(connection),
        ["global-lock"] = static (connection, _) => new GlobalLockQueue(connection),
        ["node-lock"] = static (connection, _) => new NodeQueues(connection),
        ["cpu-lock-free"] = static (connection, _) => CpuQueues.LockFree(connection),
        ["zero-copy"] = static (connection, _) => CpuQueues.ZeroCopy(connection),
    };

    public static IReadOnlyList<string> Names { get; } = [.. s_designs.Keys];

    /// <summary>Makes a design's queues.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <param name="connection">Whose requests they carry.</param>
    /// <param name="readers">How many threads the daemon reads with, where that is its own to choose.</param>
    public static RequestQueue Create(string name, FuseConnection connection, int readers) =>
        s_designs.TryGetValue(name, out Func<FuseConnection, int, RequestQueue>? create)
            ? create(connection, readers)
            : throw new FuseTransportException($"No queue design is called '{name}'. There are: {string.Join(", ", s_designs.Keys)}.");
}
