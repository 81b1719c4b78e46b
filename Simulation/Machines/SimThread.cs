using Harness.Simulation.Scheduling;

namespace Harness.Simulation.Machines;

/// <summary>
/// A simulated thread. Its code is an ordinary async method that awaits what the thread asks of its machine:
/// <c>await thread.Compute(costs.SystemCall); await queueLock.Acquire(thread);</c>. Between two awaits no virtual time passes.
/// </summary>
/// <remarks>
/// A thread asks for one thing at a time and awaits it at once, so the thread itself is the source of all its awaitables: none is
/// allocated. It may await nothing else; whoever needs the result of something that happens elsewhere lets it <see
/// cref="Machine.Interrupt"/>
/// the thread, and <see cref="Block"/>s.
/// </remarks>
public sealed partial class SimThread
{
    /// <summary>A copy goes in pieces of this size, so that copies of different lengths share a memory fairly.</summary>
    public const int CopyPieceBytes = 64 * 1024;

    /// <summary>What <see cref="CopyCharged"/> takes for a small copy: a page and what goes with it.</summary>
    public const int CopyChargedBytes = 8 * 1024;

    readonly Func<SimThread, ValueTask> body;
    readonly SimProcess? process;
    long copyLeft;
    int copyFrom, copyTo;

    internal SimThread(
        Machine machine, int id, string name, Func<SimThread, ValueTask> body, CpuSet affinity, SimCpu first, SimProcess? process, bool isService,
        AutoGroup group)
    {
        this.body = body;
        this.process = process;
        Machine = machine;
        Id = id;
        Name = name;
        Affinity = affinity;
        Cpu = first;
        Group = group;
        group.Add(this);
        // Who starts a thread runs elsewhere, for the new one begins where least runs.
        RecentCpu = machine.Cpus[(first.Id + 1) % machine.Cpus.Count];
        IsService = isService;
        if (process is not null)
        {
            process.Crashed += Kill;
        }
    }

    /// <summary>The machine it runs on.</summary>
    public Machine Machine { get; }

    /// <summary>Its number among the machine's threads, in order of creation.</summary>
    public int Id { get; }

    /// <summary>Its name in reports.</summary>
    public string Name { get; }

    /// <summary>The CPUs it may run on.</summary>
    public CpuSet Affinity { get; private set; }

    /// <summary>The CPU it runs on, or ran on last.</summary>
    public SimCpu Cpu { get; private set; }

    /// <summary>
    /// What it takes longer whenever another thread has run on its CPU before it: its code and data are no longer in the CPU's caches, nor
    /// its pages in the translation buffer. Comes on top of the context switch; 0 unless its owner says so.
    /// </summary>
    public long ColdNanoseconds { get; set; }

    /// <summary>Whether it is no fault if it blocks for ever.</summary>
    public bool IsService { get; }

    /// <summary>Whether it is between <see cref="EnterKernel"/> and <see cref="LeaveKernel"/>.</summary>
    public bool IsInKernel { get; private set; }

    /// <summary>Whether it has ended or was killed.</summary>
    public bool IsDone => state == ThreadState.Done;

    /// <summary>What it has been charged for computing and copying so far.</summary>
    public long WorkNanoseconds { get; private set; }

    /// <summary>How long it has spun for locks so far.</summary>
    public long SpinNanoseconds { get; internal set; }

    /// <summary>Occupies the CPU for a cost of the machine.</summary>
    public ValueTask Compute(Cost cost)
    {
        ArgumentNullException.ThrowIfNull(cost);
        return Compute(cost.Nanoseconds);
    }

    /// <summary>Occupies the CPU for so many nanoseconds, preemption not counted.</summary>
    public ValueTask Compute(long nanoseconds)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(nanoseconds);
        return Ask(nanoseconds, Step.GoOn);
    }

    /// <summary>
    /// Adds to what the next operation takes: for code that cannot await. What it does besides happens before the time passes.
    /// </summary>
    public void Charge(long nanoseconds)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(nanoseconds);
        DemandExecuting();
        Machine.Scheduler.Charged += nanoseconds;
    }

    /// <summary>Copies bytes from the memory of one node to that of another, or within one.</summary>
    public ValueTask Copy(long bytes, int fromNode, int toNode)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)fromNode, (uint)Machine.Nodes.Count);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)toNode, (uint)Machine.Nodes.Count);
        DemandExecuting();
        (copyLeft, copyFrom, copyTo) = (bytes, fromNode, toNode);
        return Ask(Machine.Costs.CopyStart.Nanoseconds + NextPiece(), Step.CopyOn);
    }

    /// <summary>
    /// As <see cref="Copy"/>, but what a copy of no more than <see cref="CopyChargedBytes"/> takes is charged with the next operation, which spares
    /// an event: what the thread does before that, it does so much too early.
    /// </summary>
    public ValueTask CopyCharged(long bytes, int fromNode, int toNode)
    {
        if (bytes > CopyChargedBytes)
        {
            return Copy(bytes, fromNode, toNode);
        }
        DemandExecuting();
        Machine.Scheduler.Charged += Machine.Costs.CopyStart.Nanoseconds + Machine.Copy(Cpu.Node, fromNode, toNode, bytes);
        return default;
    }

    /// <summary>Gives up the CPU until somebody wakes this thread. Returns at once if somebody has since it last blocked.</summary>
    /// <remarks>
    /// As with a futex or a wait queue, look at what you wait for again afterwards: the waking may have meant something else.
    /// </remarks>
    /// <param name="what">Its text says what the thread waits for; asked for in a report only.</param>
    public ValueTask Block(object what) => Ask(0, Step.Block, what);

    /// <summary>As <see cref="Block"/>, but no longer than until the given virtual time.</summary>
    /// <param name="what">Its text says what the thread waits for; asked for in a report only.</param>
    /// <param name="dueNanoseconds">The virtual time at which a timer wakes the thread.</param>
    public ValueTask BlockUntil(object what, long dueNanoseconds)
    {
        blockDue = dueNanoseconds;
        return Ask(0, Step.BlockUntil, what);
    }

    /// <summary>Gives up the CPU for so long. Nobody can wake it earlier.</summary>
    public ValueTask Sleep(long nanoseconds)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(nanoseconds);
        blockDue = Machine.Scheduler.NowNanoseconds + Machine.Scheduler.Charged + nanoseconds;
        return Ask(0, Step.Sleep, "its sleep to end");
    }

    /// <summary>
    /// Wakes another thread: this one pays for waking it where it will run, and then it becomes runnable there. To wake one that is not
    /// blocked costs nothing and spares it its next block.
    /// </summary>
    public ValueTask Wake(SimThread other)
    {
        ArgumentNullException.ThrowIfNull(other);
        return Ask(other.IsWakeable ? Machine.CostOfWaking(Cpu, other) : 0, Step.Wake, other);
    }

    /// <summary>Lets those that wait for this CPU run first, if there are any.</summary>
    public ValueTask Yield() => Ask(0, Step.Yield);

    /// <summary>
    /// From now on the thread runs kernel code, which is not preempted: a thread that has woken up on its CPU waits until it blocks or
    /// leaves the kernel (Linux with PREEMPT_NONE or PREEMPT_LAZY).
    /// </summary>
    public void EnterKernel()
    {
        DemandExecuting();
        IsInKernel = true;
    }

    /// <summary>Returns to user mode, and first makes way for a thread that it has kept waiting in the kernel.</summary>
    public ValueTask LeaveKernel() => Ask(0, Step.LeaveKernel);

    /// <summary>
    /// As <see cref="LeaveKernel"/>, but where nobody waits for the CPU and no more was charged than a context switch takes, that is spent with the
    /// next operation, which spares an event: who wakes up here meanwhile may have the CPU so much earlier.
    /// </summary>
    public ValueTask LeaveKernelCharged()
    {
        if (Cpu.RunQueue.Count > 0 || Machine.Scheduler.Charged > Machine.Costs.ContextSwitch.Nanoseconds)
        {
            return LeaveKernel();
        }
        DemandExecuting();
        IsInKernel = false;
        return default;
    }

    /// <summary>Spends what was charged, as an event of its own even if that is nothing.</summary>
    public ValueTask SpendCharged() => Ask(0, Step.SpendCharged);

    /// <summary>Changes the CPUs it may run on; moves there at once if it runs elsewhere. Only the thread itself may ask this.</summary>
    public ValueTask SetAffinity(CpuSet cpus)
    {
        ArgumentNullException.ThrowIfNull(cpus);
        if (cpus.First < 0 || cpus.First >= Machine.Cpus.Count)
        {
            throw new ArgumentException(
                $"{this} asks for CPUs {{{cpus}}}, but {Machine.Description.Name} has CPUs 0 to {Machine.Cpus.Count - 1}.");
        }
        return Ask(0, Step.Migrate, cpus);
    }

    /// <summary>
    /// Has this thread run a loop's callbacks: those posted to the loop wake it. The body then calls the server's methods.
    /// </summary>
    public LoopServer Serve(SimLoop loop)
    {
        ArgumentNullException.ThrowIfNull(loop);
        return new LoopServer(loop, this);
    }

    /// <summary>
    /// Ends the thread where it stands; its code never runs again. As in a real kernel, one that holds or waits for a lock first goes on
    /// until it holds none.
    /// </summary>
    public void Kill()
    {
        Machine.Scheduler.RefuseForeignThread();
        killed = true;
        if (state != ThreadState.Executing)
        {
            EndIfKilled();
        }
    }

    /// <inheritdoc/>
    public override string ToString() => $"thread '{Name}'";

    /// <summary>Reserves what the next piece of the copy needs; returns how long the piece takes.</summary>
    long NextPiece()
    {
        long piece = Math.Min(copyLeft, CopyPieceBytes);
        copyLeft -= piece;
        return Machine.Copy(Cpu.Node, copyFrom, copyTo, piece);
    }
}
