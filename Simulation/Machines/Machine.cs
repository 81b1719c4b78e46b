using Harness.Simulation.Chance;
using Harness.Simulation.Scheduling;

namespace Harness.Simulation.Machines;

/// <summary>
/// A simulated machine: CPUs with run queues, in NUMA nodes, on which simulated threads run and are charged for what they do.
/// </summary>
/// <remarks>What is modelled, what is not, and when each cost is charged: <c>docs/simulator.md</c>, "The machine".</remarks>
public sealed partial class Machine : IWaitSource
{
    readonly SimCpu[] cpus;
    readonly SimNode[] nodes;
    readonly List<SimThread> threads = [];
    readonly AutoGroup sharedGroup = new();
    readonly SimRandom acts;
    int threadCount;

    /// <summary>A machine at rest in the given world.</summary>
    public Machine(SimScheduler scheduler, MachineDescription description)
    {
        ArgumentNullException.ThrowIfNull(scheduler);
        ArgumentNullException.ThrowIfNull(description);
        Scheduler = scheduler;
        Description = description;
        Distances = new DistanceCosts(description);
        nodes = new SimNode[description.CpusOfNode.Count];
        cpus = new SimCpu[description.CpuCount];
        int first = 0;
        for (int node = 0; node < nodes.Length; node++)
        {
            int count = description.CpusOfNode[node];
            nodes[node] = new SimNode(node, CpuSet.Range(first, count), description.Costs);
            for (int cpu = first; cpu < first + count; cpu++)
            {
                cpus[cpu] = new SimCpu(this, cpu, nodes[node]);
            }
            first += count;
        }
        AllCpus = CpuSet.Range(0, cpus.Length);
        idle = AllCpus.Words.ToArray();
        stealable = new ulong[idle.Length];
        idleCount = cpus.Length;
        placement = scheduler.Random.Split("where new threads begin");
        acts = scheduler.Random.Split("how long acts take");
        nearestNodes = [.. nodes.Select(from =>
            nodes.OrderBy(to => description.Distances[from.Id][to.Id]).ThenBy(to => to.Id).ToArray())];
        scheduler.Waits.Add(this);
    }

    /// <summary>The world the machine is in.</summary>
    public SimScheduler Scheduler { get; }

    /// <summary>What the machine was made from.</summary>
    public MachineDescription Description { get; }

    /// <summary>What things cost on it.</summary>
    public CostModel Costs => Description.Costs;

    /// <summary>Its CPUs, by number.</summary>
    public IReadOnlyList<SimCpu> Cpus => cpus;

    /// <summary>Its NUMA nodes, by number.</summary>
    public IReadOnlyList<SimNode> Nodes => nodes;

    /// <summary>The set of all its CPUs.</summary>
    public CpuSet AllCpus { get; }

    /// <summary>The threads that have not ended.</summary>
    public IReadOnlyList<SimThread> Threads => threads;

    internal DistanceCosts Distances { get; }

    /// <summary>What a stretch of a thread's work takes this time.</summary>
    internal long DrawWork(long nanoseconds) => ActVariation.Draw(acts, nanoseconds, Description.Variation.Work);

    /// <summary>What an interrupt, or leaving idleness, takes this time.</summary>
    long DrawWakeUp(long nanoseconds) => ActVariation.Draw(acts, nanoseconds, Description.Variation.WakeUps);

    /// <summary>The thread whose code runs at this moment of real time, if one's does.</summary>
    internal SimThread? Executing { get; set; }

    /// <summary>Starts a simulated thread; its code first runs when a CPU has come to it.</summary>
    /// <param name="name">Appears in reports.</param>
    /// <param name="body">
    /// The thread's code. It awaits nothing but operations of its own thread, and of locks and queues with its own thread as the argument.
    /// </param>
    /// <param name="affinity">The CPUs it may run on; by default all.</param>
    /// <param name="process">The process it dies with, if any.</param>
    /// <param name="isService">Whether it is no fault if it waits for ever.</param>
    /// <param name="group">The threads that it shares CPUs with as one; by default all that are in no other group.</param>
    /// <exception cref="ArgumentException">The affinity has no CPU of this machine.</exception>
    public SimThread StartThread(
        string name, Func<SimThread, ValueTask> body, CpuSet? affinity = null, SimProcess? process = null, bool isService = false,
        AutoGroup? group = null)
    {
        ArgumentNullException.ThrowIfNull(body);
        Scheduler.RefuseForeignThread();
        affinity ??= AllCpus;
        if (affinity.First < 0 || affinity.First >= cpus.Length)
        {
            throw new ArgumentException(
                $"Thread '{name}' may run on CPUs {{{affinity}}}, but {Description.Name} has CPUs 0 to {cpus.Length - 1}.");
        }
        SimCpu first = Packs ? FindLeastLoaded(affinity) : cpus[affinity.First];
        var thread = new SimThread(this, ++threadCount, name, body, affinity, first, process, isService, group ?? sharedGroup);
        threads.Add(thread);
        MakeRunnable(thread, null);
        return thread;
    }

    /// <summary>
    /// Gives a loop a thread of this machine, which runs the loop's callbacks and computes for as long as they were charged. The thread
    /// ends
    /// when the loop's process crashes.
    /// </summary>
    /// <param name="loop">A loop that nothing was posted to yet.</param>
    /// <param name="affinity">The CPUs the thread may run on; by default all.</param>
    public SimThread StartLoop(SimLoop loop, CpuSet? affinity = null)
    {
        ArgumentNullException.ThrowIfNull(loop);
        loop.DemandUnserved();
        LoopServer? server = null;
        SimThread started = StartThread(loop.Name, _ => server!.Run(), affinity, isService: true);
        server = started.Serve(loop);
        return started;
    }

    /// <summary>
    /// Wakes a thread from outside of any CPU, as a device or a timer does. The thread pays for coming out of idleness, nobody pays for the
    /// waking.
    /// </summary>
    public void Interrupt(SimThread thread)
    {
        ArgumentNullException.ThrowIfNull(thread);
        Scheduler.RefuseForeignThread();
        Wake(thread, null);
    }

    /// <inheritdoc/>
    void IWaitSource.AddWaitsTo(ICollection<Wait> waits)
    {
        foreach (SimThread thread in threads)
        {
            if (thread.DescribeWait() is { } wait)
            {
                waits.Add(wait);
            }
        }
    }

    /// <summary>What a CPU waits for a cache line that another has changed.</summary>
    public long CostOfLine(SimCpu from, SimCpu to)
    {
        ArgumentNullException.ThrowIfNull(from);
        ArgumentNullException.ThrowIfNull(to);
        return from == to ? 0 : Distances.LockTake(from.Node.Id, to.Node.Id);
    }

    internal void Remove(SimThread thread)
    {
        threads.Remove(thread);
        thread.Group.Remove(thread);
    }

    /// <summary>
    /// Reserves memory and links for a piece of a copy that a CPU of <paramref name="cpuNode"/> makes; returns how long the piece takes.
    /// </summary>
    internal long Copy(SimNode cpuNode, int fromNode, int toNode, long bytes)
    {
        long now = Scheduler.NowNanoseconds;
        long bytesPerSecond = Math.Min(
            Distances.CopyBytesPerSecond(cpuNode.Id, fromNode), Distances.CopyBytesPerSecond(cpuNode.Id, toNode));
        long end = now + Rate.NanosecondsFor(bytes, bytesPerSecond);
        end = Math.Max(end, nodes[fromNode].MoveMemory(now, bytes));
        end = Math.Max(end, nodes[toNode].MoveMemory(now, bytes));
        if (fromNode != cpuNode.Id)
        {
            end = Math.Max(end, nodes[fromNode].PassLink(now, bytes));
            end = Math.Max(end, cpuNode.PassLink(now, bytes));
        }
        if (toNode != cpuNode.Id)
        {
            end = Math.Max(end, nodes[toNode].PassLink(now, bytes));
            end = Math.Max(end, cpuNode.PassLink(now, bytes));
        }
        return end - now;
    }
}
