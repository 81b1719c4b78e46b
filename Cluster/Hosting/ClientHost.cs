using System.Security.Cryptography;
using Harness.Cluster.Client;
using Harness.Cluster.Net;
using Harness.FuseProtocol;
using Harness.Runtime;
using Mono.Unix.Native;

namespace Harness.Cluster.Hosting;

/// <summary>A client of a cluster as a process runs it: what a mount serves.</summary>
internal sealed class ClientHost : IDisposable
{
    private const long PayloadBytesMax = 256L << 20;

    private readonly EventLoop _loop;
    private readonly EventLoop _kernelLoop;
    private readonly ClusterClient _client;

    private ClientHost(EventLoop loop, EventLoop kernelLoop, ClusterClient client)
    {
        (_loop, _kernelLoop, _client) = (loop, kernelLoop, client);
        FileSystem = new ClusterFileSystem(loop, client);
    }

    /// <summary>The file system; to be mounted with <c>default_permissions</c>.</summary>
    public ClusterFileSystem FileSystem { get; }

    /// <summary>Connects to a cluster.</summary>
    /// <param name="options">Where, and how.</param>
    /// <param name="onFault">Told of a bug that ended a callback; null to let it end the process.</param>
    /// <returns>EHOSTUNREACH if no metadata server answers.</returns>
    public static async Task<Result<ClientHost>> Start(ClusterClientOptions options, Action<Exception>? onFault = null)
    {
        var loop = new EventLoop("client", onFault, options.SpinNanoseconds);
        var kernelLoop = new EventLoop("client kernel", onFault);
        ulong identity = BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(sizeof(ulong)));
        ClusterClient? client = null;
        Errno error = await MetadataHost.OnLoop(loop, async () =>
        {
            var network = new SocketNetwork();
            var pool = new PayloadPool(PayloadBytesMax);
            client = new ClusterClient(loop, network, new ClusterChunkData(loop, network, identity, pool), options, kernelLoop, pool);
            return await client.Open();
        });
        if (error == Errnos.Ok)
        {
            return new ClientHost(loop, kernelLoop, client!);
        }

        loop.Dispose();
        kernelLoop.Dispose();
        return error;
    }

    /// <summary>Writes everything that is dirty and ends the session.</summary>
    /// <returns>Why something of it could not be written.</returns>
    public Task<Errno> Stop() => MetadataHost.OnLoop(_loop, () => _client.Stop().AsTask());

    /// <summary>Ends at once, as kill -9 would; call <see cref="Stop"/> before for a clean end.</summary>
    public void Dispose()
    {
        _loop.Dispose();
        _kernelLoop.Dispose();
    }
}
