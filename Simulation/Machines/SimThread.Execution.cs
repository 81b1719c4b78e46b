using Harness.Simulation.Scheduling;

namespace Harness.Simulation.Machines;

public sealed partial class SimThread
{
    static readonly Action<object?> SegmentEnded = static thread => ((SimThread)thread!).OnSegmentEnd();
    static readonly Action<object?> SleepEnded = static thread => ((SimThread)thread!).OnSleepEnd();

    ThreadState state = ThreadState.Runnable;
    Step step = Step.Start;
    object? argument;
    long segmentStart;
    EventHandle segmentEnd;
    long blockDue;
    EventHandle sleepEnd;

    /// <summary>Somebody has woken this thread while it was not blocked.</summary>
    bool wakePending;

    /// <summary>CPU time that the current step still needs.</summary>
    internal long Remaining { get; private set; }

    /// <summary>How many spin locks it holds or spins for, and mutexes it spins for: no other thread may have its CPU meanwhile.</summary>
    internal int SpinDepth { get; set; }

    /// <summary>When it last had a CPU and lost it.</summary>
    internal long LastRanAt { get; set; }

    /// <summary>Where it was before its last wake-up at which it was to go elsewhere (<c>recent_used_cpu</c>).</summary>
    internal SimCpu RecentCpu { get; set; }

    /// <summary>How many locks it holds or waits for.</summary>
    internal int LockDepth { get; set; }

    /// <summary>Whether it wants, or wanted, the reader-writer lock that it asked for last alone.</summary>
    internal bool WantsAlone { get; set; }

    /// <summary>How it stands with the other threads of its CPU. A field, since it is a struct that others change.</summary>
    internal FairShare Share;

    internal WaiterList? WaitsIn { get; set; }

    internal SimThread? PreviousWaiter { get; set; }

    internal SimThread? NextWaiter { get; set; }

    internal bool IsPreemptible => SpinDepth == 0 && !IsInKernel;

    internal bool IsWorking => state == ThreadState.Working;

    internal bool IsMovable => Affinity.Count > 1;

    internal bool IsWakeable => state == ThreadState.Blocked;

    /// <summary>Whether it is off its CPU until somebody or something wakes it.</summary>
    internal bool Sleeps => state is ThreadState.Blocked or ThreadState.Waiting;

    internal bool IsRunning => Cpu.Current == this;

    /// <summary>Spends CPU time, what was charged included, and then takes a step.</summary>
    internal ValueTask Ask(long nanoseconds, Step next, object? about = null)
    {
        DemandExecuting();
        if (killed && EndIfKilled())
        {
            Machine.Scheduler.TakeCharge();
            return new ValueTask(this, version);
        }
        step = next;
        argument = about;
        nanoseconds = Machine.DrawWork(nanoseconds + Machine.Scheduler.TakeCharge());
        WorkNanoseconds += nanoseconds;
        bool takesTime = nanoseconds > 0 || next == Step.SpendCharged;
        if (!takesTime || Machine.TryRunAhead(this, nanoseconds))
        {
            Remaining = 0;
            return TakeStep() ? default : new ValueTask(this, version);
        }
        Remaining = nanoseconds;
        state = ThreadState.Working;
        Machine.StartSegment(this);
        return new ValueTask(this, version);
    }

    /// <summary>Within a step: works for so long and then takes the next one. Returns whether that is nothing to wait for.</summary>
    internal bool Work(long nanoseconds, Step next = Step.GoOn, bool isSpinning = false)
    {
        step = next;
        if (nanoseconds == 0 && next == Step.GoOn)
        {
            return true;
        }
        WorkNanoseconds += isSpinning ? 0 : nanoseconds;
        if (next == Step.GoOn && Machine.TryRunAhead(this, nanoseconds))
        {
            return true;
        }
        Remaining = nanoseconds;
        state = ThreadState.Working;
        Machine.StartSegment(this);
        return false;
    }

    /// <summary>Occupies the CPU until <see cref="StopSpinning"/>.</summary>
    internal void Spin(object about)
    {
        argument = about;
        state = ThreadState.Spinning;
        segmentStart = Machine.Scheduler.NowNanoseconds;
    }

    /// <summary>The lock that this thread spins for is now its own; it goes on after the hand-over.</summary>
    internal void StopSpinning(long handOverNanoseconds)
    {
        long now = Machine.Scheduler.NowNanoseconds;
        Machine.Scheduler.Cancel(segmentEnd);
        SpinNanoseconds += now - segmentStart;
        WorkNanoseconds += handOverNanoseconds;
        Remaining = handOverNanoseconds;
        step = Step.GoOn;
        state = ThreadState.Working;

        // Never at once, even if the hand-over costs nothing: the releasing thread's code is still running.
        ScheduleSegmentEnd(now, handOverNanoseconds);
    }

    /// <summary>Off the CPU until <see cref="Machine.MakeRunnable"/>; not to be woken by others.</summary>
    internal void WaitFor(object about)
    {
        argument = about;
        LastRanAt = Machine.Scheduler.NowNanoseconds;
        state = ThreadState.Waiting;
        Machine.Dispatch(Cpu);
    }

    /// <summary>After <see cref="WaitFor"/>, what the thread has to do once it runs again.</summary>
    internal void PrepareToGoOn(long nanoseconds)
    {
        step = Step.GoOn;
        WorkNanoseconds += nanoseconds;
        Remaining = nanoseconds;
    }

    internal void BecomeRunnable() => state = ThreadState.Runnable;

    internal void SwitchIn(SimCpu cpu, long switchNanoseconds)
    {
        if (Machine.Packs)
        {
            TakeUtilizationTo(cpu);
        }
        Cpu = cpu;
        VirtualRate = Machine.Packs ? Group.VirtualRate(this, Machine.Scheduler.NowNanoseconds) : 1;
        Remaining += switchNanoseconds;
        state = ThreadState.Working;
    }

    internal void ScheduleSegmentEnd(long now, long length)
    {
        segmentStart = now;
        segmentEnd = Machine.Scheduler.Schedule(now + length, EventKind.Thread, (ulong)Id, SegmentEnded, this);
    }

    /// <summary>Somebody else has begun to wait for this thread's CPU: what it works at ends with its time slice.</summary>
    internal void EndSegmentBy(long sliceEnd)
    {
        if (state == ThreadState.Working && IsPreemptible && segmentStart + Remaining > sliceEnd)
        {
            Machine.Scheduler.Cancel(segmentEnd);
            segmentEnd = Machine.Scheduler.Schedule(sliceEnd, EventKind.Thread, (ulong)Id, SegmentEnded, this);
        }
    }

    /// <summary>
    /// Its CPU does something else for so long, an interrupt, and what it works at takes so much longer. Who spins does so by the clock: it
    /// loses looks at the lock, and no time.
    /// </summary>
    internal void LoseTime(long nanoseconds)
    {
        if (nanoseconds > 0 && state == ThreadState.Working && step != Step.StopSpinning)
        {
            Machine.Scheduler.Cancel(segmentEnd);
            long now = Machine.Scheduler.NowNanoseconds;
            Remaining += nanoseconds - (now - segmentStart);
            WorkNanoseconds += nanoseconds;
            ScheduleSegmentEnd(now, Remaining);
        }
    }

    /// <summary>It works no longer for now; what is left of its work is done where it runs next.</summary>
    internal void StopWorking()
    {
        Machine.Scheduler.Cancel(segmentEnd);
        Remaining -= Machine.Scheduler.NowNanoseconds - segmentStart;
    }

    /// <summary>Ends a block. If the thread is not blocked, its next block will not be one; returns false then.</summary>
    internal bool TryEndBlock()
    {
        if (state != ThreadState.Blocked)
        {
            wakePending = true;
            return false;
        }
        WaitsIn?.Remove(this);
        Machine.Scheduler.Cancel(sleepEnd);
        PrepareToGoOn(Machine.Costs.Block.Nanoseconds);
        return true;
    }

    internal Wait? DescribeWait() => state switch
    {
        ThreadState.Blocked or ThreadState.Waiting or ThreadState.Spinning => new Wait(
            Name, argument?.ToString() ?? "", (argument as ISimLock)?.HeldBy, IsService && state == ThreadState.Blocked),
        _ => null,
    };

    internal void DemandExecuting()
    {
        if (state != ThreadState.Executing || Machine.Executing != this)
        {
            throw new InvalidOperationException(
                $"{this} was asked for an operation by code that does not run on it (it is {state}). A thread asks for one thing at a "
                + "time, awaits it at once, and only its own code may ask.");
        }
    }

    void OnSegmentEnd()
    {
        Remaining -= Machine.Scheduler.NowNanoseconds - segmentStart;
        if (Remaining > 0)
        {
            Machine.StartSegment(this);
            return;
        }
        state = ThreadState.Executing;
        if (TakeStep())
        {
            Resume();
        }
    }

    void OnSleepEnd()
    {
        if (Sleeps)
        {
            WaitsIn?.Remove(this);
            step = Step.GoOn;
            Machine.MakeRunnable(this, Cpu);
        }
    }

    /// <summary>Takes the step whose CPU time is spent. Returns whether the thread's code goes on at once.</summary>
    bool TakeStep()
    {
        switch (step)
        {
            case Step.Block:
            case Step.BlockUntil:
                return !GiveUpCpu();
            case Step.Sleep:
                sleepEnd = Machine.Scheduler.Schedule(blockDue, EventKind.ThreadSleep, (ulong)Id, SleepEnded, this);
                WaitFor(argument!);
                return false;
            case Step.Wake:
                step = Step.GoOn;
                Machine.Wake((SimThread)argument!, Cpu);
                return true;
            case Step.WakeNewOwner:
                Machine.MakeRunnable((SimThread)argument!, Cpu);
                return true;
            case Step.Yield when Cpu.RunQueue.Count > 0:
                step = Step.GoOn;
                Machine.Preempt(Cpu, this, yields: true);
                return false;
            case Step.LeaveKernel:
                step = Step.GoOn;
                IsInKernel = false;
                if (!Machine.IsToMakeWay(Cpu))
                {
                    return true;
                }
                Machine.Preempt(Cpu, this);
                return false;
            case Step.Migrate:
                Affinity = (CpuSet)argument!;
                return Affinity.Contains(Cpu.Id) || !LeaveCpuForAnother();
            case Step.CopyOn when copyLeft > 0:
                return Work(NextPiece(), Step.CopyOn);
            case Step.TakeSpinLock:
                return ((SimSpinLock)argument!).Take(this, isCharged: false);
            case Step.TakeSpinLockCharged:
                return ((SimSpinLock)argument!).Take(this, isCharged: true);
            case Step.TakeMutex:
                return ((SimMutex)argument!).Take(this);
            case Step.TakeRwLock:
                return ((SimRwLock)argument!).Take(this);
            case Step.StopSpinning:
                ((SimMutex)argument!).GiveUpSpinning(this);
                return false;
            default:
                return true;
        }
    }

    bool LeaveCpuForAnother()
    {
        step = Step.GoOn;
        SimCpu left = Cpu;
        left.CountCurrent();
        Share.Lag = left.RunQueue.LagOf(this, this);
        Machine.MakeRunnable(this, left);
        Machine.Dispatch(left);
        return true;
    }

    bool GiveUpCpu()
    {
        if (SpinDepth > 0)
        {
            throw new InvalidOperationException(
                $"{this} blocks, waiting for {argument}, while it holds a spin lock. Release the lock first.");
        }
        if (wakePending)
        {
            wakePending = false;
            WaitsIn?.Remove(this);
            return false;
        }
        if (step == Step.BlockUntil)
        {
            sleepEnd = Machine.Scheduler.Schedule(blockDue, EventKind.ThreadSleep, (ulong)Id, SleepEnded, this);
        }
        LastRanAt = Machine.Scheduler.NowNanoseconds;
        state = ThreadState.Blocked;
        Machine.Dispatch(Cpu);
        return true;
    }
}
