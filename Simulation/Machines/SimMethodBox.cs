using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;
using System.Threading.Tasks.Sources;

namespace Harness.Simulation.Machines;

/// <summary>The result of a suspended method of <see cref="SimMethodBuilder"/>, awaited once, and inline.</summary>
/// <remarks>
/// Whoever awaits it returns it to its pool by taking the result. One whose simulated thread is killed is left to the collector.
/// </remarks>
abstract class SimMethodBox<TResult> : IValueTaskSource, IValueTaskSource<TResult>
{
    Action<object?>? continuation;
    object? continuationState;
    TResult? result;
    Exception? failure;
    bool completed;

    public short Version { get; private set; }

    public void Complete(TResult value, Exception? thrown)
    {
        result = value;
        failure = thrown;
        completed = true;
        continuation?.Invoke(continuationState);
    }

    void IValueTaskSource.GetResult(short token) => TakeResult(token);

    TResult IValueTaskSource<TResult>.GetResult(short token) => TakeResult(token);

    public ValueTaskSourceStatus GetStatus(short token)
    {
        DemandVersion(token);
        return !completed ? ValueTaskSourceStatus.Pending
            : failure is null ? ValueTaskSourceStatus.Succeeded
            : ValueTaskSourceStatus.Faulted;
    }

    public void OnCompleted(Action<object?> next, object? state, short token, ValueTaskSourceOnCompletedFlags flags)
    {
        DemandVersion(token);
        continuation = next;
        continuationState = state;
        if (completed)
        {
            next(state);
        }
    }

    /// <summary>Gives the box back to its pool.</summary>
    protected abstract void Return();

    TResult TakeResult(short token)
    {
        DemandVersion(token);
        TResult taken = result!;
        Exception? thrown = failure;
        result = default;
        failure = null;
        continuation = null;
        continuationState = null;
        completed = false;
        Version++;
        Return();
        if (thrown is not null)
        {
            ExceptionDispatchInfo.Throw(thrown);
        }
        return taken;
    }

    void DemandVersion(short token)
    {
        if (token != Version)
        {
            throw new InvalidOperationException("The ValueTask of a simulated thread's method was awaited twice. Await it once, at once.");
        }
    }
}

/// <summary>A suspended method: its state machine, and the delegate that goes on with it.</summary>
sealed class SimMethodBox<TResult, TStateMachine> : SimMethodBox<TResult>
    where TStateMachine : IAsyncStateMachine
{
    [ThreadStatic]
    static SimMethodBox<TResult, TStateMachine>? firstFree;

    readonly Action moveNext;
    TStateMachine? stateMachine;
    SimMethodBox<TResult, TStateMachine>? nextFree;

    SimMethodBox() => moveNext = MoveNext;

    /// <summary>Moves the state machine into a box if it is in none yet; returns what goes on with it.</summary>
    public static Action Suspend(ref SimMethodBox<TResult>? box, ref TStateMachine stateMachine)
    {
        if (box is not null)
        {
            return Unsafe.As<SimMethodBox<TResult, TStateMachine>>(box).moveNext;
        }
        SimMethodBox<TResult, TStateMachine> own = firstFree ?? new SimMethodBox<TResult, TStateMachine>();
        firstFree = own.nextFree;
        own.nextFree = null;

        // The builder is a field of the state machine: it must know its box before it is copied into it.
        box = own;
        own.stateMachine = stateMachine;
        return own.moveNext;
    }

    protected override void Return()
    {
        stateMachine = default;
        nextFree = firstFree;
        firstFree = this;
    }

    void MoveNext() => stateMachine!.MoveNext();
}
