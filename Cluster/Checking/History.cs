using Harness.Simulation.Scheduling;

namespace Harness.Cluster.Checking;

/// <summary>What the lanes of one world have asked and been answered.</summary>
internal sealed class History(SimScheduler world)
{
    private readonly List<Call> _calls = [];

    /// <summary>The calls, in the order in which they were made.</summary>
    public IReadOnlyList<Call> Calls => _calls;

    /// <summary>The number that the next call gets.</summary>
    public int NextId => _calls.Count;

    /// <summary>The time.</summary>
    public long NowNanoseconds => world.NowNanoseconds;

    /// <summary>A call is made.</summary>
    public Call Add(Call call)
    {
        _calls.Add(call);
        return call;
    }
}
