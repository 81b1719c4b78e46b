using Harness.FuseProtocol;
using Harness.Runtime;
using Harness.Simulation.Scheduling;
using Mono.Unix.Native;

namespace Harness.Cluster.Net;

/// <summary>The simulated side of <see cref="INetwork"/>, for one life of one process.</summary>
internal sealed class SimHost : INetwork
{
    private readonly SimNetwork _network;
    private readonly SimProcess _process;
    private readonly List<SimConnection> _connections = [];
    private readonly List<SimListener> _listeners = [];

    internal SimHost(SimNetwork network, SimProcess process, string name)
    {
        (_network, _process, Name) = (network, process, name);
        process.Crashed += Crash;
    }

    /// <summary>The host's name, which is the host of its addresses.</summary>
    public string Name { get; }

    internal SimNetwork Network => _network;

    /// <summary>Until when the host's link is busy with what was sent.</summary>
    internal long LinkBusyUntil { get; set; }

    internal bool IsAlive => !_process.IsCrashed;

    /// <inheritdoc/>
    public Result<IListener> Listen(ILoop loop, NodeAddress address, Action<IConnection> accepted)
    {
        if (address.Host != Name)
        {
            return Errno.EADDRNOTAVAIL;
        }

        NodeAddress given = address.Port != 0 ? address : new NodeAddress(Name, _network.NextPort());
        var listener = new SimListener(this, (SimLoop)loop, given, accepted);
        if (!_network.TryListen(listener))
        {
            return Errno.EADDRINUSE;
        }

        _listeners.Add(listener);
        return Results.Of<IListener>(listener);
    }

    /// <inheritdoc/>
    public ValueTask<Result<IConnection>> Connect(ILoop loop, NodeAddress address)
    {
        var attempt = new Attempt(this, (SimLoop)loop, address, _network.World.NowNanoseconds + _network.Options.ConnectTimeoutNanoseconds);
        attempt.Try();
        return new ValueTask<Result<IConnection>>(attempt.Done.Task);
    }

    internal void Add(SimConnection connection)
    {
        _connections.RemoveAll(old => old.IsDone);
        _connections.Add(connection);
    }

    private void Crash()
    {
        foreach (SimListener listener in _listeners)
        {
            _network.EndListen(listener);
        }

        foreach (SimConnection connection in _connections)
        {
            // The kernel closes what a dead process had open.
            connection.Abandon();
        }
    }

    /// <summary>One call of connect(2).</summary>
    private sealed class Attempt(SimHost host, SimLoop loop, NodeAddress address, long until)
    {
        public TaskCompletionSource<Result<IConnection>> Done { get; } = new();

        public void Try()
        {
            SimNetwork network = host._network;
            long now = network.World.NowNanoseconds;
            bool cut = network.IsCut(host.Name, address.Host) || network.IsCut(address.Host, host.Name);
            if (!cut)
            {
                network.World.Schedule(now + network.DrawDelay(), SimNetwork.Event, 0, static state => ((Attempt)state!).Arrive(), this);
            }
            else if (now >= until)
            {
                Finish(Errno.ETIMEDOUT);
            }
            else
            {
                long again = now + network.Options.RetransmitNanoseconds;
                network.World.Schedule(again, SimNetwork.Event, 0, static state => ((Attempt)state!).Try(), this);
            }
        }

        private void Arrive()
        {
            SimNetwork network = host._network;
            if (network.ListenerAt(address) is not { } listener)
            {
                network.World.Schedule(
                    network.World.NowNanoseconds + network.DrawDelay(), SimNetwork.Event, 0, _ => Finish(Errno.ECONNREFUSED), null);
                return;
            }

            var ours = new SimConnection(host, loop, address);
            var theirs = new SimConnection(listener.Host, listener.Loop, new NodeAddress(host.Name, network.NextPort()));
            ours.Join(theirs);
            listener.Accept(theirs);
            network.World.Schedule(
                network.World.NowNanoseconds + network.DrawDelay(), SimNetwork.Event, 0, _ => Finish(Results.Of<IConnection>(ours)), null);
        }

        private void Finish(Result<IConnection> result)
        {
            if (!loop.IsStopped)
            {
                loop.Post(_ => Done.SetResult(result), null);
            }
        }
    }
}

/// <summary>A simulated listener.</summary>
internal sealed class SimListener(SimHost host, SimLoop loop, NodeAddress address, Action<IConnection> accepted) : IListener
{
    /// <inheritdoc/>
    public NodeAddress Address => address;

    internal SimHost Host => host;

    internal SimLoop Loop => loop;

    /// <inheritdoc/>
    public void Dispose() => host.Network.EndListen(this);

    internal void Accept(SimConnection connection)
    {
        if (!loop.IsStopped)
        {
            loop.Post(_ => accepted(connection), null);
        }
    }
}
