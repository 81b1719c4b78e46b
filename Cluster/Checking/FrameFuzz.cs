using System.Globalization;
using Harness.Cluster.Chunks;
using Harness.Cluster.Net;
using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;
using Harness.Simulation.Chance;
using Harness.Simulation.Scheduling;
using Mono.Unix.Native;

namespace Harness.Cluster.Checking;

/// <summary>What a fuzzing has come to.</summary>
/// <param name="Frames">Frames sent.</param>
/// <param name="Connections">Connections used for them.</param>
/// <param name="Closed">How many of those the servers closed.</param>
/// <param name="Failure">What went wrong beyond that; null if nothing did.</param>
internal sealed record FrameFuzzReport(long Frames, long Connections, long Closed, string? Failure)
{
    /// <inheritdoc/>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Frames} frames, {Connections} connections, {Closed} closed by the servers, {(Failure is null ? "nothing else harmed" : Failure)}");
}

/// <summary>Sends malformed frames to the servers of a cluster in a simulated world: each may cost its connection, and nothing else.</summary>
internal sealed class FrameFuzz : IFrameSink
{
    private const int FramesPerConnectionMax = 6;
    private const int ConnectionsPerLook = 64;
    private const long Second = 1_000_000_000;
    private const long Millisecond = 1_000_000;
    private const string Done = "all was sent";

    private static readonly RequestContext s_root = new(0, 0);

    private readonly CheckedCluster _cluster;
    private readonly SimRandom _random;
    private readonly FrameGenerator _frames;
    private readonly SimLoop _loop;
    private readonly SimHost _host;
    private long _closed;
    private ulong _file;

    private FrameFuzz(ulong seed)
    {
        _cluster = new CheckedCluster(new Schedule(seed, 3, [], []), PlantedFaults.None, static _ => { });
        _random = new SimRandom(seed).Split("frames");
        _frames = new FrameGenerator(_random);
        SimProcess process = _cluster.World.StartProcess("stranger");
        _loop = process.StartLoop("stranger");
        _host = _cluster.Network.Attach(process, "stranger");
    }

    /// <summary>Sends so many frames.</summary>
    /// <param name="frames">How many, about.</param>
    /// <param name="seed">Decides all of them.</param>
    /// <param name="progress">Is told how far it is; by default nobody is.</param>
    /// <param name="interrupted">Ends it early.</param>
    public static FrameFuzzReport Run(long frames, ulong seed, Action<long>? progress = null, CancellationToken interrupted = default)
    {
        var fuzz = new FrameFuzz(seed);
        long sent = 0;
        long connections = 0;
        try
        {
            fuzz.Prepare();
            while (sent < frames && !interrupted.IsCancellationRequested)
            {
                for (int i = 0; i < ConnectionsPerLook; i++, connections++)
                {
                    sent += fuzz.Attack();
                }

                fuzz.Look((byte)(connections / ConnectionsPerLook));
                progress?.Invoke(sent);
            }
        }
#pragma warning disable CA1031 // Whatever a frame makes the code under test throw is what is looked for.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            return new FrameFuzzReport(sent, connections, fuzz._closed, $"after {sent} frames of seed {seed}: {exception}");
        }

        return new FrameFuzzReport(sent, connections, fuzz._closed, null);
    }

    Memory<byte> IFrameSink.OnHead(in FrameHeader header, ReadOnlySpan<byte> body) => default;

    void IFrameSink.OnFrame()
    {
    }

    void IFrameSink.OnClosed(string reason) => _closed += reason == Done ? 0 : 1;

    private void Prepare()
    {
        _cluster.World.RunUntil(() => _cluster.Metadata is not null && _cluster.IsHealthy, "the start of the cluster", 20 * Second);
        CheckedClient client = _cluster.Clients[0];
        Require(_cluster.Run(client.Loop, async () => await client.Client.Open(), "a session", 20 * Second));
        _file = _cluster.Run(
            client.Loop,
            async () => (await client.FileSystem.Create(s_root, NodeId.Root, "file"u8.ToArray(), new CreateIn { Mode = 0x81A4 })).Value.Entry.Nodeid,
            "a file",
            20 * Second);
    }

    /// <summary>One connection, to a server of chance.</summary>
    private int Attack()
    {
        int target = _random.Next(_cluster.Servers.Length + 1);
        NodeAddress address = target == 0 ? new NodeAddress("mds", 7000) : new NodeAddress(_cluster.Servers[target - 1].Host, 1);
        int count = 1 + _random.Next(FramesPerConnectionMax);
        bool greets = _random.Chance(0.8);
        Result<IConnection> made = _cluster.Run(_loop, async () => await _host.Connect(_loop, address), "a connection", 20 * Second);
        Require(made.Error);
        var connection = (SimConnection)made.Value;
        _loop.Post(
            _ =>
            {
                connection.Start(this);
                if (greets)
                {
                    (byte[] head, byte[] payload) = FrameGenerator.Greeting();
                    connection.SendRaw(head, payload);
                }

                for (int i = 0; i < count; i++)
                {
                    (byte[] head, byte[] payload) = _frames.Next();
                    connection.SendRaw(head, payload);
                }
            },
            null);
        _cluster.World.RunUntil(_cluster.World.NowNanoseconds + Millisecond);
        _loop.Post(_ => connection.Close(Done), null);
        return count;
    }

    /// <summary>Whether everybody else is still served.</summary>
    private void Look(byte value)
    {
        CheckedClient client = _cluster.Clients[0];
        byte[] data = new byte[8192];
        data.AsSpan().Fill(value);
        var node = new NodeId(_file);
        byte[] back = _cluster.Run(
            client.Loop,
            async () =>
            {
                Require((await client.FileSystem.Write(s_root, node, default, data)).Error);
                Require(await client.FileSystem.Fsync(s_root, node, default));
                byte[] read = new byte[data.Length];
                Require((await client.FileSystem.Read(s_root, node, new ReadIn { Size = (uint)read.Length }, read)).Error);
                return read;
            },
            "a write and a read",
            20 * Second);
        if (!back.AsSpan().SequenceEqual(data) || !_cluster.IsHealthy)
        {
            throw new InvalidOperationException("What was written was not read back, or a replica was lost.");
        }
    }

    private static void Require(Errno error)
    {
        if (error != Errnos.Ok)
        {
            throw new InvalidOperationException($"The cluster does not serve any longer: {error}.");
        }
    }
}
