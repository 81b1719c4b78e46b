namespace Harness.Simulation.Machines;

/// <summary>A CPU: the thread that runs on it, the threads that wait for it, and how it has spent its time.</summary>
public sealed class SimCpu
{
    long busyBefore;
    SimThread? current;

    /// <summary>How much of it is used, by the threads that are on it now. A field, since it is a struct that others change.</summary>
    internal Utilization Utilization;

    internal SimCpu(Machine machine, int id, SimNode node)
    {
        (Machine, Id, Node) = (machine, id, node);
        RunQueue = new RunQueue(this, machine.Costs.TimeSlice.Nanoseconds);
    }

    /// <summary>The CPU's number.</summary>
    public int Id { get; }

    /// <summary>The node it belongs to.</summary>
    public SimNode Node { get; }

    /// <summary>Whether it has nothing to run and sleeps or polls. A CPU on its way out of idleness is not idle any more.</summary>
    public bool IsIdle { get; internal set; } = true;

    /// <summary>The thread that runs on it now, if one does.</summary>
    public SimThread? Current
    {
        get => current;
        internal set
        {
            current = value;
            NoteCrowd();
        }
    }

    /// <summary>How many threads wait for it.</summary>
    public int QueueLength => RunQueue.Count;

    /// <summary>How long it has run threads so far, context switches and spinning included, the way out of idleness not.</summary>
    public long BusyNanoseconds => busyBefore + (BusySince is { } since ? Machine.Scheduler.NowNanoseconds - since : 0);

    /// <summary>How much of <see cref="BusyNanoseconds"/> went into context switches.</summary>
    public long SwitchNanoseconds { get; internal set; }

    /// <summary>How many context switches it has made.</summary>
    public long Switches { get; internal set; }

    internal Machine Machine { get; }

    internal RunQueue RunQueue { get; }

    /// <summary>The thread that ran last: to go on with it takes no context switch.</summary>
    internal SimThread? LastRan { get; set; }

    internal long IdleSince { get; set; }

    /// <summary>Since when, or from when on, its way out of idleness counts as use; null if nobody has woken it from there.</summary>
    internal long? UsedFrom { get; set; }

    internal long? BusySince { get; private set; }

    /// <summary>When the current thread has come to run.</summary>
    internal long SwitchedInAt { get; set; }

    /// <summary>When the current thread has to let others run, if others wait.</summary>
    internal long SliceEnd { get; set; }

    /// <summary>Up to when the current thread's share has been counted.</summary>
    internal long CountedUntil { get; set; }

    /// <summary>At how many ticks it was idle and left a thread where it was, since it last took one.</summary>
    internal int TriesInVain { get; set; }

    /// <summary>Whether a thread runs and others wait for it to make way, or sleep and are still counted.</summary>
    internal bool IsCrowded { get; private set; }

    /// <summary>Whether a thread waits behind another that could run elsewhere. The first is left to a CPU that is just coming out of idleness.</summary>
    internal bool HasStealable { get; private set; }

    /// <summary>The current thread, or who waits, has changed.</summary>
    internal void NoteCrowd()
    {
        bool isCrowded = current is not null && (RunQueue.Count > 0 || RunQueue.HasLingering);
        bool hasStealable = RunQueue.MovableCount > 0 && RunQueue.Count > (current is null ? 1 : 0);
        if (isCrowded != IsCrowded)
        {
            IsCrowded = isCrowded;
            Machine.CountCrowded(isCrowded ? 1 : -1);
        }
        if (hasStealable != HasStealable)
        {
            HasStealable = hasStealable;
            Machine.ToggleStealable(this);
        }
    }

    /// <summary>Counts what the current thread has had of the CPU by now.</summary>
    internal void CountCurrent()
    {
        if (current is null)
        {
            return;
        }
        long now = Machine.Scheduler.NowNanoseconds;
        if (Machine.Packs)
        {
            Utilization.Count(now, isUsed: true);
            current.Utilization.Count(now, isUsed: true);
        }
        ref FairShare share = ref current.Share;
        share.VirtualTime += (long)((now - CountedUntil) * current.VirtualRate);
        CountedUntil = now;
        if (share.VirtualTime >= share.Deadline)
        {
            share.Deadline = share.VirtualTime + RunQueue.SliceNanoseconds;
        }
    }

    internal void BecomeBusy() => BusySince = Machine.Scheduler.NowNanoseconds;

    internal void BecomeIdle()
    {
        long now = Machine.Scheduler.NowNanoseconds;
        busyBefore = BusyNanoseconds;
        BusySince = null;
        UsedFrom = null;
        IsIdle = true;
        IdleSince = now;
    }

    /// <inheritdoc/>
    public override string ToString() => $"CPU {Id}";
}
