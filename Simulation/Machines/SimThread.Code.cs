using System.Runtime.ExceptionServices;
using System.Threading.Tasks.Sources;

namespace Harness.Simulation.Machines;

/// <summary>How the thread's code is started, resumed after each operation, and ended.</summary>
public sealed partial class SimThread : IValueTaskSource
{
    Action<object?>? continuation;
    object? continuationState;
    short version;
    bool completed;

    bool finished;
    bool killed;
    ExceptionDispatchInfo? failure;

    void Resume()
    {
        if (killed && EndIfKilled())
        {
            return;
        }
        state = ThreadState.Executing;
        Machine.Executing = this;
        if (step == Step.Start)
        {
            _ = RunBody();
        }
        else if (step != Step.End)
        {
            completed = true;
            Action<object?> resumed = continuation!;
            continuation = null;
            resumed(continuationState);
        }
        Machine.Executing = null;
        AfterCode();
    }

    async Task RunBody()
    {
        try
        {
            await body(this);
        }
        catch (Exception exception)
        {
            // Thrown again by AfterCode, out of the scheduler's run, where somebody sees it.
            failure = ExceptionDispatchInfo.Capture(exception);
        }
        finished = true;
    }

    /// <summary>
    /// The thread's code has come to an await or to its end: which one must be told apart from an await of something foreign.
    /// </summary>
    void AfterCode()
    {
        if (failure is not null)
        {
            End();
            failure.Throw();
        }
        if (state != ThreadState.Executing)
        {
            return;
        }
        if (!finished)
        {
            throw new InvalidOperationException(
                $"{this} awaits something that is not an operation of its own, so nobody would know what its CPU does. Let what it waits "
                + "for interrupt or wake it, and block.");
        }
        if (LockDepth > 0)
        {
            throw new InvalidOperationException($"{this} has ended while it holds {LockDepth} locks.");
        }
        long charged = Machine.Scheduler.TakeCharge();
        if (charged > 0)
        {
            Work(charged, Step.End);
        }
        else
        {
            End();
        }
    }

    /// <summary>Ends a killed thread, unless others depend on what it is about to do. Returns whether it has ended.</summary>
    bool EndIfKilled()
    {
        bool isNeeded = LockDepth > 0 || step is Step.Wake;
        if (!isNeeded && state != ThreadState.Done)
        {
            End();
        }
        return state == ThreadState.Done;
    }

    void End()
    {
        bool running = IsRunning;
        if (state == ThreadState.Runnable)
        {
            Machine.Dequeue(this);
        }
        else if (Share.Lingers)
        {
            Cpu.RunQueue.Forget(this);
        }
        Machine.Scheduler.Cancel(segmentEnd);
        Machine.Scheduler.Cancel(sleepEnd);
        WaitsIn?.Remove(this);
        state = ThreadState.Done;
        Machine.Remove(this);
        if (process is not null)
        {
            process.Crashed -= Kill;
        }
        if (running)
        {
            Machine.Dispatch(Cpu);
        }
    }

    void IValueTaskSource.GetResult(short token)
    {
        DemandVersion(token);
        completed = false;
        version++;
    }

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token)
    {
        DemandVersion(token);
        return completed ? ValueTaskSourceStatus.Succeeded : ValueTaskSourceStatus.Pending;
    }

    /// <summary>The code goes on wherever its thread is resumed: there is one real thread, and no context to return to.</summary>
    void IValueTaskSource.OnCompleted(Action<object?> next, object? nextState, short token, ValueTaskSourceOnCompletedFlags flags)
    {
        DemandVersion(token);
        continuation = next;
        continuationState = nextState;
    }

    void DemandVersion(short token)
    {
        if (token != version)
        {
            throw new InvalidOperationException(
                $"An operation of {this} was awaited twice, or kept until after the next one. Await each at once.");
        }
    }
}
