using Harness.Cluster.Net;
using Harness.FuseProtocol;
using Harness.Runtime;
using Harness.Simulation.Scheduling;

namespace Harness.Tests.Cluster.Net;

/// <summary>A simulated loop that remembers what it was told to expect, which simulation itself has no use for.</summary>
internal sealed class ExpectingLoop(SimLoop inner) : ILoop
{
    /// <summary>For how long something was to be expected, each time that it was said.</summary>
    public List<long> Expected { get; } = [];

    public long NowNanoseconds => inner.NowNanoseconds;

    public TimeProvider Time => inner.Time;

    public bool IsCurrent => inner.IsCurrent;

    public void Post(Action<object?> callback, object? state) => inner.Post(callback, state);

    public void PostAt(long dueNanoseconds, Action<object?> callback, object? state) => inner.PostAt(dueNanoseconds, callback, state);

    public void ExpectWithin(long nanoseconds) => Expected.Add(nanoseconds);

    /// <summary>A host's network for this loop: a simulated one knows its own loops only.</summary>
    public INetwork Of(INetwork network) => new NetworkOfInner(network, inner);

    private sealed class NetworkOfInner(INetwork network, SimLoop inner) : INetwork
    {
        public Result<IListener> Listen(ILoop loop, NodeAddress address, Action<IConnection> accepted) => network.Listen(inner, address, accepted);

        public ValueTask<Result<IConnection>> Connect(ILoop loop, NodeAddress address) => network.Connect(inner, address);
    }
}
