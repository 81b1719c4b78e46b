using System.Runtime.InteropServices;
using Harness.Cluster.Chunks;
using Harness.Cluster.Net;
using Harness.Cluster.Wire;
using Harness.FuseProtocol;
using Mono.Unix.Native;

namespace Harness.Cluster.Metadata.Master;

/// <content>What chunk servers are told: to make, serve and delete replicas, and in which chain.</content>
internal sealed partial class ChunkMaster
{
    private bool _deletionsAreDue;

    private async Task<bool> Make(ChunkServerState server, ulong chunk, uint version)
    {
        Errno made = await Ask(server.Id, ChunkKind.Create, chunk, version);
        bool exists = made is Errnos.Ok or Errno.EEXIST;
        if (!State.TryGetChunk(chunk, out _))
        {
            // Removed while it was made, which may have come after.
            DeleteSoon(server, chunk);
            return false;
        }

        if (exists)
        {
            server.Missing.Remove(chunk);
        }

        return exists;
    }

    /// <summary>Changes a chain in the log, and then on its servers.</summary>
    private async Task<Step> Change(ulong chunk, ChunkRecord record, uint[] servers, uint target)
    {
        var change = new ChangeReplicas { Chunk = chunk, Version = record.Version, Target = target };
        change.Servers.AddRange(servers);
        Outcome outcome = await _pipeline.Submit(new Command { ChangeReplicas = change }, durable: true);
        _changes += outcome.Errno == 0 ? 1 : 0;
        return outcome.Errno == 0 && await SetChain(chunk) ? Step.Again : Step.Wait;
    }

    /// <summary>Tells a chunk's servers its chain.</summary>
    /// <returns>Whether all have taken it.</returns>
    private async Task<bool> SetChain(ulong chunk)
    {
        if (!State.TryGetChunk(chunk, out ChunkRecord record) || !record.Servers.All(_servers.ContainsKey))
        {
            return false;
        }

        var chain = new Chain(record.Version, [.. record.Servers.Select(id => new ChainMember(id, _servers[id].Address))], record.Target != 0);
        byte[] payload = chain.ToPayload();
        bool[] set = await Task.WhenAll(record.Servers.Select(async id =>
        {
            Errno error = await Ask(id, ChunkKind.SetChain, chunk, record.Version, payload);
            if (!State.TryGetChunk(chunk, out _))
            {
                return false;
            }

            if (error == Errnos.Ok)
            {
                _servers[id].Serving[chunk] = record.Version;
                _servers[id].Behind.Remove(chunk);
            }
            else if (error == Errno.ENOENT)
            {
                _servers[id].Missing.Add(chunk);
            }
            else if (error is Errno.ESTALE or Errno.EIO)
            {
                // It lacks what others may have been told of, or its disk has failed it.
                _servers[id].Stale.Add(chunk);
            }

            return error == Errnos.Ok;
        }));
        return set.All(static one => one);
    }

    /// <summary>
    /// Members that registered anew within their lease may serve the chunk in the version in which they were: a client that does not know of a newer one
    /// would read from them what others have overwritten in it. They leave that chain before anything else is done.
    /// </summary>
    /// <returns>Whether there are none any more.</returns>
    private async Task<bool> StopBehind(ulong chunk, ChunkRecord record)
    {
        bool all = true;
        foreach (ChunkServerState server in _servers.Values.Where(server => server.IsThere && server.Behind.Contains(chunk)).ToArray())
        {
            if (record.Servers.Contains(server.Id))
            {
                server.Serving.Remove(chunk);
                all &= await Ask(server.Id, ChunkKind.Leave, chunk, 0) is Errnos.Ok or Errno.ENOENT && server.Behind.Remove(chunk);
            }
        }

        return all;
    }

    /// <summary>Chunks of no file, which nobody will ever ask for again, are removed from a server together.</summary>
    private void DeleteSoon(ChunkServerState server, ulong chunk)
    {
        server.Stale.Remove(chunk);
        server.Unneeded.Add(chunk);
        if (!_deletionsAreDue)
        {
            _deletionsAreDue = true;
            _loop.Post(static state => ((ChunkMaster)state!).DeleteAll(), this);
        }
    }

    private void DeleteAll()
    {
        _deletionsAreDue = false;
        foreach (ChunkServerState server in _servers.Values)
        {
            foreach (ulong[] chunks in server.Unneeded.Chunk(ChunkKind.AllMax))
            {
                var message = new ChunkRequest { Length = (uint)chunks.Length };
                Ask(server.Id, ChunkKind.DeleteAll, message, MemoryMarshal.AsBytes<ulong>(chunks).ToArray(), _options.CallNanoseconds).Watch();
            }

            server.Unneeded.Clear();
        }
    }

    private async Task Delete(ChunkServerState server, ulong chunk)
    {
        server.Stale.Remove(chunk);
        await Ask(server.Id, ChunkKind.Delete, chunk, 0);
    }

    private Task<Errno> Ask(uint server, ushort kind, ulong chunk, ulong version) => Ask(server, kind, chunk, version, default, _options.CallNanoseconds);

    private Task<Errno> Ask(uint server, ushort kind, ulong chunk, ulong version, byte[] payload) =>
        Ask(server, kind, chunk, version, payload, _options.CallNanoseconds);

    private Task<Errno> Ask(uint server, ushort kind, ulong chunk, ulong version, ReadOnlyMemory<byte> payload, long timeoutNanoseconds) =>
        Ask(server, kind, new ChunkRequest { Chunk = chunk, Version = version }, payload, timeoutNanoseconds);

    private async Task<Errno> Ask(uint server, ushort kind, ChunkRequest message, ReadOnlyMemory<byte> payload, long timeoutNanoseconds)
    {
        if (!_servers.TryGetValue(server, out ChunkServerState? state) || state.Peer is not { IsOpen: true } peer)
        {
            return Errno.ENOTCONN;
        }

        int registration = state.Registrations;
        RpcReply reply = await peer.Call(kind, message, payload.IsEmpty ? default : new Payload(payload), default, timeoutNanoseconds);
        reply.Buffer?.Release();
        return registration == state.Registrations ? reply.Status : Errno.ENOTCONN;
    }
}
