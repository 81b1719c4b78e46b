using System.Runtime.CompilerServices;

// The compiler's code calls these methods by name, Create on the builder itself and the others on an instance.
#pragma warning disable CA1000, CA1822

namespace Harness.Simulation.Machines;

/// <summary>
/// For async methods that a simulated thread's code is made of: <c>[AsyncMethodBuilder(typeof(SimMethodBuilder))]</c> on one that returns
/// <see cref="ValueTask"/> lets it suspend without allocating.
/// </summary>
/// <remarks>
/// The framework's <see cref="PoolingAsyncValueTaskMethodBuilder"/> keeps one box per method and CPU of the host, so with hundreds of
/// simulated threads inside one method it allocates for nearly each call. This one keeps as many as were ever in use together, per real
/// thread, and since a simulation has one real thread it need not carry the execution context along: an <see cref="AsyncLocal{T}"/> is
/// lost.
/// A call of a method that suspends once: 42 ns and 0 B, against 70 ns and 0 B for the framework's with one thread inside, and 128 B a
/// call with 100 (<c>SimMethodBuilderBenchmarks</c>).
/// </remarks>
public struct SimMethodBuilder
{
    SimMethodBox<ValueTuple>? box;
    Exception? failure;

    /// <summary>What the method returns.</summary>
    public readonly ValueTask Task =>
        box is { } suspended ? new ValueTask(suspended, suspended.Version)
        : failure is { } thrown ? ValueTask.FromException(thrown)
        : default;

    /// <summary>Called by the compiler's code.</summary>
    public static SimMethodBuilder Create() => default;

    /// <summary>Called by the compiler's code.</summary>
    public readonly void Start<TStateMachine>(ref TStateMachine stateMachine)
        where TStateMachine : IAsyncStateMachine => stateMachine.MoveNext();

    /// <summary>Called by the compiler's code, and of no use here.</summary>
    public readonly void SetStateMachine(IAsyncStateMachine stateMachine) => ArgumentNullException.ThrowIfNull(stateMachine);

    /// <summary>Called by the compiler's code.</summary>
    public readonly void SetResult() => box?.Complete(default, null);

    /// <summary>Called by the compiler's code.</summary>
    public void SetException(Exception exception)
    {
        failure = exception;
        box?.Complete(default, exception);
    }

    /// <summary>Called by the compiler's code.</summary>
    public void AwaitOnCompleted<TAwaiter, TStateMachine>(ref TAwaiter awaiter, ref TStateMachine stateMachine)
        where TAwaiter : INotifyCompletion
        where TStateMachine : IAsyncStateMachine =>
        awaiter.OnCompleted(SimMethodBox<ValueTuple, TStateMachine>.Suspend(ref box, ref stateMachine));

    /// <summary>Called by the compiler's code.</summary>
    public void AwaitUnsafeOnCompleted<TAwaiter, TStateMachine>(ref TAwaiter awaiter, ref TStateMachine stateMachine)
        where TAwaiter : ICriticalNotifyCompletion
        where TStateMachine : IAsyncStateMachine =>
        awaiter.UnsafeOnCompleted(SimMethodBox<ValueTuple, TStateMachine>.Suspend(ref box, ref stateMachine));
}

/// <summary>As <see cref="SimMethodBuilder"/>, for methods that return <see cref="ValueTask{TResult}"/>.</summary>
public struct SimMethodBuilder<TResult>
{
    SimMethodBox<TResult>? box;
    TResult? result;
    Exception? failure;

    /// <summary>What the method returns.</summary>
    public readonly ValueTask<TResult> Task =>
        box is { } suspended ? new ValueTask<TResult>(suspended, suspended.Version)
        : failure is { } thrown ? ValueTask.FromException<TResult>(thrown)
        : new ValueTask<TResult>(result!);

    /// <summary>Called by the compiler's code.</summary>
    public static SimMethodBuilder<TResult> Create() => default;

    /// <summary>Called by the compiler's code.</summary>
    public readonly void Start<TStateMachine>(ref TStateMachine stateMachine)
        where TStateMachine : IAsyncStateMachine => stateMachine.MoveNext();

    /// <summary>Called by the compiler's code, and of no use here.</summary>
    public readonly void SetStateMachine(IAsyncStateMachine stateMachine) => ArgumentNullException.ThrowIfNull(stateMachine);

    /// <summary>Called by the compiler's code.</summary>
    public void SetResult(TResult value)
    {
        result = value;
        box?.Complete(value, null);
    }

    /// <summary>Called by the compiler's code.</summary>
    public void SetException(Exception exception)
    {
        failure = exception;
        box?.Complete(default!, exception);
    }

    /// <summary>Called by the compiler's code.</summary>
    public void AwaitOnCompleted<TAwaiter, TStateMachine>(ref TAwaiter awaiter, ref TStateMachine stateMachine)
        where TAwaiter : INotifyCompletion
        where TStateMachine : IAsyncStateMachine =>
        awaiter.OnCompleted(SimMethodBox<TResult, TStateMachine>.Suspend(ref box, ref stateMachine));

    /// <summary>Called by the compiler's code.</summary>
    public void AwaitUnsafeOnCompleted<TAwaiter, TStateMachine>(ref TAwaiter awaiter, ref TStateMachine stateMachine)
        where TAwaiter : ICriticalNotifyCompletion
        where TStateMachine : IAsyncStateMachine =>
        awaiter.UnsafeOnCompleted(SimMethodBox<TResult, TStateMachine>.Suspend(ref box, ref stateMachine));
}
