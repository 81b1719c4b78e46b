using System.Runtime.CompilerServices;
using Harness.FuseProtocol;
using Harness.Simulation.Machines;

namespace Harness.Transport.Simulated.Files;

/// <summary>A context of asynchronous I/O (<c>io_setup</c>): what is under way, and what has ended and was not fetched yet.</summary>
public sealed class AioContext
{
    private readonly Queue<AioCompletion> _ended = new();
    private SimThread? _waiter;

    /// <summary>Reads and writes that were submitted and not fetched.</summary>
    public int Pending { get; private set; }

    internal void Submitted() => Pending++;

    [AsyncMethodBuilder(typeof(SimMethodBuilder))]
    internal async ValueTask Ended(SimThread thread, AioCompletion completion)
    {
        _ended.Enqueue(completion);
        if (_waiter is { } waiter)
        {
            _waiter = null;
            if (waiter == thread)
            {
                return;
            }

            await thread.Wake(waiter);
        }
    }

    /// <summary>Waits until something has ended, and takes it (<c>io_getevents</c>).</summary>
    [AsyncMethodBuilder(typeof(SimMethodBuilder<>))]
    internal async ValueTask<AioCompletion> Take(SimThread thread)
    {
        while (_ended.Count == 0)
        {
            _waiter = thread;
            await thread.Block("asynchronous I/O");
        }

        _waiter = null;
        Pending--;
        return _ended.Dequeue();
    }
}

/// <summary>One asynchronous read or write.</summary>
/// <param name="context">Where it is fetched from.</param>
/// <param name="data">The submitter's own.</param>
public sealed class AioCompletion(AioContext context, object? data)
{
    /// <summary>What the submitter passed.</summary>
    public object? Data { get; } = data;

    /// <summary>Bytes, or the error.</summary>
    public Result<int> Result { get; private set; }

    internal ValueTask Complete(SimThread thread, Result<int> result)
    {
        Result = result;
        return context.Ended(thread, this);
    }
}
