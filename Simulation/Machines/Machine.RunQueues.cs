using System.Numerics;
using Harness.Simulation.Scheduling;

namespace Harness.Simulation.Machines;

public sealed partial class Machine
{
    static readonly Action<object?> IdleExitDone = static cpu => ((SimCpu)cpu!).Machine.Dispatch((SimCpu)cpu);

    /// <summary>How long a thread that ran counts as hot in its CPU's caches (kernel/sched/fair.c, <c>sysctl_sched_migration_cost</c>).</summary>
    const long CacheHotNanoseconds = 500_000;

    /// <summary>
    /// A CPU that is woken soon is not counted for more of its way out of idleness than this part of the time that it idled. Measured with a thread
    /// that does nothing else: woken after 15, 30, 60 and 150 µs it had had 4, 6, 10 and 17 µs of CPU time more than where its CPU was awake.
    /// </summary>
    const int IdleToCounted = 4;

    /// <summary>The CPUs at which a thread waits that could run elsewhere: a CPU without work looks at no others.</summary>
    readonly ulong[] stealable;

    int stealableCount;
    int crowdedCount;

    /// <summary>So many more CPUs are crowded.</summary>
    internal void CountCrowded(int more) => crowdedCount += more;

    internal void ToggleStealable(SimCpu cpu)
    {
        stealable[cpu.Id / 64] ^= 1UL << (cpu.Id % 64);
        stealableCount += cpu.HasStealable ? 1 : -1;
    }

    /// <summary>What a waker on <paramref name="from"/> spends to wake <paramref name="target"/> where it would now run.</summary>
    internal long CostOfWaking(SimCpu from, SimThread target)
    {
        SimCpu to = Select(target, from);
        if (to == from)
        {
            return Costs.WakeSameCpu.Nanoseconds;
        }
        long cost = Distances.Wake(from.Node.Id, to.Node.Id);
        bool interrupts = to.IsIdle ? IsDeeplyIdle(to) : WouldPreempt(target, to);
        return interrupts ? cost + DrawWakeUp(Costs.InterruptSend.Nanoseconds) : cost;
    }

    /// <summary>Makes a blocked thread runnable; one that is not blocked will not block next time.</summary>
    /// <param name="target">The thread.</param>
    /// <param name="from">The waker's CPU; null if an interrupt wakes it.</param>
    internal void Wake(SimThread target, SimCpu? from)
    {
        if (target.TryEndBlock())
        {
            MakeRunnable(target, from);
        }
    }

    internal void MakeRunnable(SimThread thread, SimCpu? from)
    {
        thread.EndSleep();
        SimCpu cpu = Select(thread, from);
        NoteRecent(thread, cpu, from);
        if (thread.Share.Lingers && cpu != thread.Cpu)
        {
            // Its group goes on being counted there, and what that owes, it owes there.
            thread.Cpu.RunQueue.Forget(thread);
        }
        bool preempts = WouldPreempt(thread, cpu);
        cpu.RunQueue.Place(thread, cpu.Current);
        if (cpu.IsIdle)
        {
            LeaveIdle(cpu, from);
        }
        else
        {
            LimitSlice(cpu, preempts, preempts && from is not null && from != cpu ? DrawWakeUp(Distances.Interrupt(from.Node.Id, cpu.Node.Id)) : 0);
            ExpectBalance();
        }
    }

    /// <summary>
    /// Whether nothing happens anywhere before the CPU's current thread has spent so much: then it has, and need not be suspended for it.
    /// </summary>
    internal bool TryRunAhead(SimThread thread, long nanoseconds)
    {
        SimCpu cpu = thread.Cpu;
        long end = Scheduler.NowNanoseconds + nanoseconds;
        bool isCut = cpu.RunQueue.Count > 0 && thread.IsPreemptible && end > cpu.SliceEnd;
        return !isCut && Scheduler.TryRunAhead(end, EventKind.Thread, (ulong)thread.Id);
    }

    /// <summary>
    /// Starts or goes on with what the CPU's current thread has left to do: to its end, or to the end of its time slice if others wait.
    /// </summary>
    internal void StartSegment(SimThread thread)
    {
        SimCpu cpu = thread.Cpu;
        long now = Scheduler.NowNanoseconds;
        long length = thread.Remaining;
        if (cpu.RunQueue.Count > 0 && thread.IsPreemptible)
        {
            if (now >= cpu.SliceEnd)
            {
                Preempt(cpu, thread);
                return;
            }
            length = Math.Min(length, cpu.SliceEnd - now);
        }
        thread.ScheduleSegmentEnd(now, length);
    }

    /// <summary>
    /// Gives the CPU to the next that waits for it. The thread that had it goes to an idle CPU if it may run on one and the scheduler does not
    /// pack threads, else to the end of the queue.
    /// </summary>
    /// <param name="cpu">The CPU, for which another waits.</param>
    /// <param name="thread">The thread that has it.</param>
    /// <param name="yields">Whether another is next, whoever's turn it is.</param>
    internal void Preempt(SimCpu cpu, SimThread thread, bool yields = false)
    {
        thread.LastRanAt = Scheduler.NowNanoseconds;
        thread.BecomeRunnable();
        SimCpu? other = thread.IsMovable && idleCount > 0 && !Packs ? FindIdle(thread.Affinity, cpu.Node) : null;
        cpu.CountCurrent();
        if (other is not null)
        {
            thread.Share.Lag = cpu.RunQueue.LagOf(thread, thread);
            other.RunQueue.Place(thread, other.Current);
            LeaveIdle(other, cpu);
            Dispatch(cpu);
        }
        else if (yields)
        {
            SimThread next = cpu.RunQueue.Take()!;
            cpu.RunQueue.Add(thread);
            SwitchTo(cpu, next);
        }
        else
        {
            cpu.RunQueue.Add(thread);
            Dispatch(cpu);
        }
        ExpectBalance();
    }

    /// <summary>Whether the time of a CPU's current thread is over and another waits.</summary>
    internal bool IsToMakeWay(SimCpu cpu) => cpu.RunQueue.Count > 0 && Scheduler.NowNanoseconds >= cpu.SliceEnd;

    /// <summary>Gives the CPU, which no thread has now, to the thread that has waited longest, here or elsewhere.</summary>
    internal void Dispatch(SimCpu cpu)
    {
        cpu.CountCurrent();
        // Out of idleness a CPU comes for the thread that came first; others may have gone elsewhere since.
        bool comesFromIdleness = cpu.Current is null;
        if (cpu.Current is { Sleeps: true } sleeper)
        {
            cpu.RunQueue.Sleep(sleeper);
            sleeper.BeginSleep();
        }
        cpu.Current = null;
        SimThread? next = (comesFromIdleness ? cpu.RunQueue.TakeFirst() : cpu.RunQueue.Take()) ?? Steal(cpu);
        if (next is not null)
        {
            SwitchTo(cpu, next);
        }
        else if (!cpu.IsIdle)
        {
            cpu.BecomeIdle();
            idle[cpu.Id / 64] |= 1UL << (cpu.Id % 64);
            idleCount++;
        }
        ExpectBalance();
    }

    /// <summary>Takes a thread that waits out of its run queue.</summary>
    internal void Dequeue(SimThread thread)
    {
        foreach (SimCpu cpu in cpus)
        {
            if (cpu.RunQueue.Remove(thread))
            {
                return;
            }
        }
    }

    void SwitchTo(SimCpu cpu, SimThread next)
    {
        if (cpu.BusySince is null)
        {
            cpu.BecomeBusy();
        }
        cpu.Current = next;
        long cost = 0;
        if (cpu.LastRan != next)
        {
            cost = Costs.ContextSwitch.Nanoseconds + next.ColdNanoseconds;
            cpu.LastRan = next;
            cpu.Switches++;
            cpu.SwitchNanoseconds += cost;
        }
        cpu.SwitchedInAt = Scheduler.NowNanoseconds + cost;
        cpu.SliceEnd = cpu.SwitchedInAt + Costs.TimeSlice.Nanoseconds;
        cpu.CountedUntil = Scheduler.NowNanoseconds;
        next.SwitchIn(cpu, cost);
        StartSegment(next);
    }

    /// <summary>Whether a thread that is about to wake up on a CPU would take it from the current one.</summary>
    static bool WouldPreempt(SimThread thread, SimCpu cpu)
    {
        cpu.CountCurrent();
        bool isElsewhere = thread.Share.Lingers && thread.Cpu != cpu;
        return cpu.Current is { } current && current != thread && !isElsewhere && cpu.RunQueue.WouldOvertake(thread, current);
    }

    /// <summary>Somebody has woken up and waits for the CPU: from now on the current thread may not run for as long as it likes.</summary>
    /// <param name="cpu">The CPU.</param>
    /// <param name="preempts">Whether who has woken up is to have it soon.</param>
    /// <param name="interruptNanoseconds">How long the CPU is busy with the interrupt that says so, if it comes from another one.</param>
    void LimitSlice(SimCpu cpu, bool preempts, long interruptNanoseconds)
    {
        if (cpu.Current is not { } current)
        {
            return;
        }
        long now = Scheduler.NowNanoseconds;
        if (now >= cpu.SliceEnd)
        {
            // It has run alone so far, slice after slice.
            long slice = Costs.TimeSlice.Nanoseconds;
            cpu.SliceEnd += ((now - cpu.SliceEnd) / slice + 1) * slice;
        }
        if (preempts)
        {
            current.LoseTime(interruptNanoseconds);
            cpu.SliceEnd = Math.Min(cpu.SliceEnd, Math.Max(now + interruptNanoseconds, cpu.SwitchedInAt + Costs.WakePreemptsAfter.Nanoseconds));
        }
        current.EndSegmentBy(cpu.SliceEnd);
    }

    /// <summary>
    /// For a CPU that would go idle: the nearest thread that waits behind another and may run here. The first thread in the queue of a CPU
    /// that is just coming out of idleness is left to that CPU.
    /// </summary>
    SimThread? Steal(SimCpu thief) =>
        stealableCount > 0 && FindWaiting(thief, alsoHot: false) is { } found ? found.Queue.RemoveAt(found.Place) : null;

    (RunQueue Queue, int Place)? FindWaiting(SimCpu thief, bool alsoHot)
    {
        foreach (SimNode node in nearestNodes[thief.Node.Id])
        {
            ReadOnlySpan<ulong> here = node.Cpus.Words;
            for (int word = 0; word < here.Length; word++)
            {
                for (ulong left = here[word] & stealable[word]; left != 0; left &= left - 1)
                {
                    SimCpu cpu = cpus[64 * word + BitOperations.TrailingZeroCount(left)];
                    RunQueue waiting = cpu.RunQueue;
                    for (int i = cpu.Current is null ? 1 : 0; i < waiting.Count; i++)
                    {
                        SimThread candidate = waiting[i];
                        if (candidate.Affinity.Contains(thief.Id) && (alsoHot || !IsHot(candidate)))
                        {
                            return (waiting, i);
                        }
                    }
                }
            }
        }
        return null;
    }

    /// <summary>Where wake-ups pack threads onto a CPU, one that has just run there is not pulled away again (<c>task_hot</c>).</summary>
    bool IsHot(SimThread thread) =>
        Packs && Scheduler.NowNanoseconds - thread.LastRanAt < CacheHotNanoseconds;

    void LeaveIdle(SimCpu cpu, SimCpu? from)
    {
        long latency = Costs.IdleExitShallow.Nanoseconds;
        if (IsDeeplyIdle(cpu))
        {
            latency = Costs.IdleExitDeep.Nanoseconds + Distances.Interrupt((from ?? cpu).Node.Id, cpu.Node.Id);
        }
        cpu.IsIdle = false;
        idle[cpu.Id / 64] &= ~(1UL << (cpu.Id % 64));
        idleCount--;
        long now = Scheduler.NowNanoseconds;
        long takes = DrawWakeUp(latency);
        long counted = Math.Min((long)(takes * Description.Packing.ExitCounted), (now - cpu.IdleSince) / IdleToCounted);
        cpu.UsedFrom = now + takes - counted;
        Scheduler.Schedule(now + takes, EventKind.IdleExit, (ulong)cpu.Id, IdleExitDone, cpu);
    }

    bool IsDeeplyIdle(SimCpu cpu) => Scheduler.NowNanoseconds - cpu.IdleSince >= Costs.IdleDeepAfter.Nanoseconds;
}
