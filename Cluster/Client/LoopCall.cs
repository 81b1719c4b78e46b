using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Threading.Tasks.Sources;
using Harness.Runtime;

namespace Harness.Cluster.Client;

/// <summary>
/// A call from any thread to something that lives on a loop. Made on the calling thread where the loop lets it in, posted to it otherwise; what
/// does not end at once ends on the loop. Pooled by type.
/// </summary>
/// <typeparam name="TTarget">What is called.</typeparam>
/// <typeparam name="TArg">What with.</typeparam>
/// <typeparam name="TResult">What comes back.</typeparam>
/// <remarks>Owned by whoever awaits the task; it goes back to the pool when the result is taken, which is done once.</remarks>
internal sealed class LoopCall<TTarget, TArg, TResult> : IValueTaskSource<TResult>
{
    private const int PooledMax = 1024;

    private static readonly ConcurrentQueue<LoopCall<TTarget, TArg, TResult>> s_pool = new();
    private static readonly Action<object?> s_run = static state => ((LoopCall<TTarget, TArg, TResult>)state!).RunOnLoop();

    private readonly Action _end;
    private ManualResetValueTaskSourceCore<TResult> _source;
    private Func<TTarget, TArg, ValueTask<TResult>> _call = null!;
    private TTarget _target = default!;
    private TArg _arg = default!;
    private ValueTaskAwaiter<TResult> _awaiter;

    private LoopCall() => _end = End;

    /// <summary>Calls on a loop.</summary>
    public static ValueTask<TResult> Run(ILoop loop, TTarget target, in TArg arg, Func<TTarget, TArg, ValueTask<TResult>> call)
    {
        if (loop.IsCurrent)
        {
            return call(target, arg);
        }

        if (loop.TryEnter())
        {
            return RunInside(loop, target, arg, call);
        }

        LoopCall<TTarget, TArg, TResult> made = Take();
        (made._call, made._target, made._arg) = (call, target, arg);
        var task = new ValueTask<TResult>(made, made._source.Version);
        loop.Post(s_run, made);
        return task;
    }

    TResult IValueTaskSource<TResult>.GetResult(short token)
    {
        try
        {
            return _source.GetResult(token);
        }
        finally
        {
            _source.Reset();
            (_target, _arg) = (default!, default!);
            if (s_pool.Count < PooledMax)
            {
                s_pool.Enqueue(this);
            }
        }
    }

    ValueTaskSourceStatus IValueTaskSource<TResult>.GetStatus(short token) => _source.GetStatus(token);

    void IValueTaskSource<TResult>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _source.OnCompleted(continuation, state, token, flags);

    private static LoopCall<TTarget, TArg, TResult> Take() =>
        s_pool.TryDequeue(out LoopCall<TTarget, TArg, TResult>? made) ? made : new LoopCall<TTarget, TArg, TResult>();

    private static ValueTask<TResult> RunInside(ILoop loop, TTarget target, in TArg arg, Func<TTarget, TArg, ValueTask<TResult>> call)
    {
        try
        {
            ValueTask<TResult> task = call(target, arg);
            if (task.IsCompletedSuccessfully)
            {
                // Taken here: what stands behind it may be the loop's.
                return new ValueTask<TResult>(task.Result);
            }

            LoopCall<TTarget, TArg, TResult> made = Take();
            var result = new ValueTask<TResult>(made, made._source.Version);
            made.Await(task);
            return result;
        }
        finally
        {
            loop.Leave();
        }
    }

    private void RunOnLoop()
    {
        ValueTask<TResult> task;
        try
        {
            task = _call(_target, _arg);
        }
#pragma warning disable CA1031 // It belongs to whoever waits, and is thrown there.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            _source.SetException(exception);
            return;
        }

        Await(task);
    }

    private void Await(ValueTask<TResult> task)
    {
        _awaiter = task.GetAwaiter();
        if (_awaiter.IsCompleted)
        {
            End();
        }
        else
        {
            _awaiter.UnsafeOnCompleted(_end);
        }
    }

    private void End()
    {
        ValueTaskAwaiter<TResult> awaiter = _awaiter;
        _awaiter = default;
        TResult result;
        try
        {
            result = awaiter.GetResult();
        }
#pragma warning disable CA1031 // It belongs to whoever waits, and is thrown there.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            _source.SetException(exception);
            return;
        }

        _source.SetResult(result);
    }
}
