using Harness.Simulation.Chance;
using Harness.Simulation.Scheduling;

namespace Harness.Cluster.Net;

/// <summary>The network of a simulated world: hosts, the links between them, and what is wrong with those.</summary>
internal sealed class SimNetwork
{
    /// <summary>Network events in a trace.</summary>
    internal const EventKind Event = (EventKind)64;

    private readonly HashSet<(string From, string To)> _cuts = [];
    private readonly Dictionary<NodeAddress, SimListener> _listeners = [];
    private int _nextPort = 40_000;
    private ulong _nextLink;

    /// <summary>A network in which everything works.</summary>
    public SimNetwork(SimScheduler world, SimNetworkOptions? options = null)
    {
        World = world;
        Options = options ?? new SimNetworkOptions();
        Random = world.Random.Split("network");
    }

    /// <summary>How it behaves; may be changed while the world runs.</summary>
    public SimNetworkOptions Options { get; }

    internal SimScheduler World { get; }

    internal SimRandom Random { get; }

    /// <summary>The network as one life of a process on a host sees it. Its connections and listeners die with it.</summary>
    public SimHost Attach(SimProcess process, string host) => new(this, process, host);

    /// <summary>Nothing gets from one host to another any more, until <see cref="Heal()"/>; the way back stays open.</summary>
    public void CutOneWay(string from, string to) => _cuts.Add((from, to));

    /// <summary>Two hosts no longer reach each other.</summary>
    public void Cut(string one, string other)
    {
        CutOneWay(one, other);
        CutOneWay(other, one);
    }

    /// <summary>Two hosts reach each other again; what TCP still holds arrives.</summary>
    public void Heal(string one, string other)
    {
        _cuts.Remove((one, other));
        _cuts.Remove((other, one));
    }

    /// <summary>All hosts reach each other again.</summary>
    public void Heal() => _cuts.Clear();

    internal bool IsCut(string from, string to) => _cuts.Count > 0 && _cuts.Contains((from, to));

    internal bool TryListen(SimListener listener) => _listeners.TryAdd(listener.Address, listener);

    internal void EndListen(SimListener listener)
    {
        if (_listeners.TryGetValue(listener.Address, out SimListener? there) && there == listener)
        {
            _listeners.Remove(listener.Address);
        }
    }

    internal SimListener? ListenerAt(NodeAddress address) => _listeners.GetValueOrDefault(address);

    internal int NextPort() => _nextPort++;

    internal ulong NextLink() => _nextLink++;

    internal long DrawDelay() => Options.DelayNanoseconds + Random.NextInt64(Options.JitterNanoseconds + 1);
}
