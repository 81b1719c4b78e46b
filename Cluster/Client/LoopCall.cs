using System.Collections.Concurrent;
using System.Threading.Tasks.Sources;
using Harness.Runtime;

namespace Harness.Cluster.Client;

/// <summary>A call from any thread to something that lives on a loop; its end is told on the loop. Pooled by type.</summary>
/// <typeparam name="TTarget">What is called.</typeparam>
/// <typeparam name="TArg">What with.</typeparam>
/// <typeparam name="TResult">What comes back.</typeparam>
/// <remarks>Owned by whoever awaits the task; it goes back to the pool when the result is taken, which is done once.</remarks>
internal sealed class LoopCall<TTarget, TArg, TResult> : IValueTaskSource<TResult>
{
    private const int PooledMax = 1024;

    private static readonly ConcurrentQueue<LoopCall<TTarget, TArg, TResult>> s_pool = new();
    private static readonly Action<object?> s_run = static state => _ = ((LoopCall<TTarget, TArg, TResult>)state!).RunOnLoop();

    private ManualResetValueTaskSourceCore<TResult> _source;
    private Func<TTarget, TArg, ValueTask<TResult>> _call = null!;
    private TTarget _target = default!;
    private TArg _arg = default!;

    private LoopCall()
    {
    }

    /// <summary>Calls on a loop.</summary>
    public static ValueTask<TResult> Run(ILoop loop, TTarget target, in TArg arg, Func<TTarget, TArg, ValueTask<TResult>> call)
    {
        if (loop.IsCurrent)
        {
            return call(target, arg);
        }

        if (!s_pool.TryDequeue(out LoopCall<TTarget, TArg, TResult>? made))
        {
            made = new LoopCall<TTarget, TArg, TResult>();
        }

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

    private async Task RunOnLoop()
    {
        TResult result;
        try
        {
            result = await _call(_target, _arg);
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
