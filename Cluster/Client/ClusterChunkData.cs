using Harness.Cluster.Chunks;
using Harness.Cluster.Chunks.Client;
using Harness.Cluster.Net;
using Harness.Cluster.Wire;
using Harness.FuseProtocol;
using Harness.Runtime;
using Mono.Unix.Native;

namespace Harness.Cluster.Client;

/// <summary>Bytes of chunks on chunk servers. A location that no longer holds is asked for anew by whoever holds the file's lease.</summary>
internal sealed class ClusterChunkData : IChunkData, IChainSource
{
    private readonly ChunkClient _client;
    private readonly Dictionary<uint, NodeAddress> _addresses = [];

    /// <summary>The way to chunk servers.</summary>
    /// <param name="loop">The client's loop.</param>
    /// <param name="network">Its network.</param>
    /// <param name="identity">A number that no other client has, before or after: it names this one's writes.</param>
    /// <param name="pool">Memory for what is received.</param>
    public ClusterChunkData(ILoop loop, INetwork network, ulong identity, PayloadPool pool) =>
        _client = new ChunkClient(loop, network, this, Hello.Of(NodeRole.Client, identity, 1), pool);

    /// <inheritdoc/>
    public void Learn(IEnumerable<ServerAddress> servers)
    {
        foreach (ServerAddress server in servers)
        {
            if (NodeAddress.TryParse(server.Address, out NodeAddress address))
            {
                _addresses[server.Server] = address;
            }
        }
    }

    /// <inheritdoc/>
    public bool Knows(ChunkLocation location) => location.Servers.All(_addresses.ContainsKey);

    /// <inheritdoc/>
    public ValueTask<Errno> Read(ChunkLocation location, long offset, Memory<byte> buffer) =>
        HandleOf(location) is { } handle ? _client.Read(handle, offset, buffer) : new(Errno.ESTALE);

    /// <inheritdoc/>
    public ValueTask<Errno> Write(ChunkLocation location, long offset, ReadOnlyMemory<byte> data, ChunkWriteFlags flags) =>
        HandleOf(location) is { } handle ? _client.Write(handle, offset, data, flags) : new(Errno.ESTALE);

    /// <inheritdoc/>
    public ValueTask<Errno> Zero(ChunkLocation location, long offset, long length) =>
        HandleOf(location) is { } handle ? _client.Punch(handle, offset, (int)length) : new(Errno.ESTALE);

    /// <inheritdoc/>
    public ValueTask<Errno> Sync(ChunkLocation location) =>
        HandleOf(location) is { } handle ? _client.Sync(handle) : new(Errno.ESTALE);

    /// <inheritdoc/>
    public async ValueTask<Result<long>> Seek(ChunkLocation location, long offset, bool data, long chunkBytes)
    {
        if (HandleOf(location) is not { } handle)
        {
            return Errno.ESTALE;
        }

        Result<long> found = await _client.Seek(handle, offset, data);
        return found.IsOk ? Math.Min(found.Value, chunkBytes) : found;
    }

    /// <inheritdoc/>
    public ValueTask<bool> Refresh(ChunkHandle chunk) => Refreshing is null ? new(false) : Refreshing(chunk);

    /// <summary>Brings a chunk's chain up to date; null while nobody can.</summary>
    public Func<ChunkHandle, ValueTask<bool>>? Refreshing { get; set; }

    /// <summary>The session in which chunks are used now; null if nobody has one.</summary>
    public Func<ulong>? Session { get; set; }

    /// <summary>The chain that a location stands for; null if it has a server whose address is not known.</summary>
    public Chain? ChainOf(ChunkLocation location) => Knows(location)
        ? new Chain(location.Version, [.. location.Servers.Select(server => new ChainMember(server, _addresses[server]))], location.TailJoins)
        : null;

    /// <summary>Ends all connections.</summary>
    public void Close() => _client.Close();

    private ChunkHandle? HandleOf(ChunkLocation location) =>
        ChainOf(location) is { } chain ? new ChunkHandle(new ChunkId(location.Chunk), chain) { Session = Session?.Invoke() ?? 0 } : null;
}
