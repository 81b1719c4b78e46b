using System.Runtime.InteropServices;
using Harness.Cluster.Net;
using Harness.Runtime;
using Mono.Unix.Native;

namespace Harness.Cluster.Chunks.Server;

/// <summary>A chunk server's word with whichever metadata server leads: registration, heartbeats, and the lease that they bring.</summary>
/// <remarks>
/// The lease runs from when the request was <em>sent</em>, by this node's monotonic clock, and a little shorter than granted, so that it has
/// ended here before the metadata server counts on that. Over it goes whatever is known of chains, and the server registers anew.
/// </remarks>
internal sealed class MetadataLink(ChunkServer server, ILoop loop, INetwork network, ChunkServerOptions options, Hello hello, PayloadPool pool)
{
    private const long RetryNanoseconds = 100_000_000;

    private readonly PeerLink[] _links = [.. options.Metadata.Select(address => new PeerLink(loop, network, address, hello, server, pool, options.Limits))];
    private RpcPeer? _registeredWith;
    private long _leaseUntil = long.MinValue;
    private int _current;
    private bool _stopped;
    private bool _fenced = true;

    /// <summary>Whether the lease lasts.</summary>
    public bool LeaseHolds => loop.NowNanoseconds < _leaseUntil;

    /// <summary>
    /// Changes whenever what the metadata server has said before is void: it counts on the report with which the server registers, and an order that was
    /// still being carried out then is no part of that.
    /// </summary>
    public int Epoch { get; private set; }

    /// <summary>Whether this is the connection by which the server has its present lease.</summary>
    public bool IsRegisteredWith(RpcPeer peer) => _registeredWith == peer;

    /// <summary>Begins.</summary>
    public void Start() => Run();

    /// <summary>Ends.</summary>
    public void Stop()
    {
        _stopped = true;
        foreach (PeerLink link in _links)
        {
            link.Close();
        }
    }

    /// <summary>Sends a message that nobody replies to.</summary>
    public void Tell(ushort kind, in ChunkRequest message) =>
        _ = _registeredWith?.Post(kind, MemoryMarshal.AsBytes(new ReadOnlySpan<ChunkRequest>(in message)), default);

    // For the life of the server; what it might throw ends the process.
    private async void Run()
    {
        while (!_stopped)
        {
            FenceIfOver();
            bool ok = _registeredWith is { IsOpen: true } peer ? await Heartbeat(peer) : await Register();
            if (!ok)
            {
                _registeredWith = null;
                _current = (_current + 1) % _links.Length;
            }

            await LoopYield.Delay(loop, ok ? options.HeartbeatNanoseconds : RetryNanoseconds);
        }
    }

    private void FenceIfOver()
    {
        if (!LeaseHolds && !_fenced)
        {
            _fenced = true;
            Epoch++;
            options.Log.Write(true, "lease ends: this server serves nothing until it has registered again");
            server.Fence();
            _registeredWith = null;
        }
    }

    private async ValueTask<bool> Register()
    {
        if (await _links[_current].Get() is not { } peer)
        {
            return false;
        }

        Epoch++;
        byte[] payload = MemoryMarshal.AsBytes<ReplicaReport>(server.ReportReplicas()).ToArray();
        long sent = loop.NowNanoseconds;
        RpcReply reply = await peer.Call(
            ChunkKind.Register, server.Report(), new Payload(payload, null, Crc32C.Compute(payload)), default, options.HeartbeatNanoseconds * 4);
        // The old lease may have ended on the way: what was under way then is given up, and not taken up again as if nothing had been.
        FenceIfOver();
        Take(reply, sent);
        options.Log.Write(!reply.IsOk, reply.IsOk ? "registered" : "registration refused", ("metadata_server", peer.Remote), ("status", reply.Status));
        _registeredWith = reply.IsOk ? peer : null;
        if (reply.Status == Errno.ENOTUNIQ)
        {
            options.OnRefused?.Invoke(reply.Status);
        }

        return reply.IsOk;
    }

    private async ValueTask<bool> Heartbeat(RpcPeer peer)
    {
        long sent = loop.NowNanoseconds;
        RpcReply reply = await peer.Call(ChunkKind.Heartbeat, server.Report(), default, default, options.HeartbeatNanoseconds * 2);
        FenceIfOver();
        Take(reply, sent);
        return reply.IsOk && _registeredWith is not null;
    }

    private void Take(in RpcReply reply, long sent)
    {
        if (reply.Status == Errno.ESTALE)
        {
            // The metadata server has given this life of the server up already.
            _leaseUntil = long.MinValue;
            FenceIfOver();
        }

        if (!reply.IsOk)
        {
            return;
        }

        long granted = (long)reply.Read<LeaseReply>().LeaseNanoseconds;
        long lease = granted - (granted / 1_000_000 * options.DriftPartsPerMillion);
        _leaseUntil = Math.Max(_leaseUntil, sent + lease);
        _fenced = !LeaseHolds;
    }
}
