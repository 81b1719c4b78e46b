using System.Runtime.ExceptionServices;
using Harness.Runtime;
using Harness.Runtime.Native;
using Harness.Transport;

namespace Harness.Experiments.Calibration;

/// <summary>A thread that stays on one CPU, or may run anywhere after all, and whose failure is not lost.</summary>
internal sealed class PinnedThread : IDisposable
{
    private readonly Thread _thread;
    private readonly TaskCompletionSource<bool> _placed = new();
    private Exception? _failure;

    private PinnedThread(Action place, Action body) => _thread = new Thread(() =>
    {
        try
        {
            place();
            _placed.SetResult(true);
            body();
        }
#pragma warning disable CA1031 // It is thrown again by Join.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            _failure = exception;
            _placed.TrySetResult(false);
        }
    })
    { IsBackground = true };

    /// <summary>Starts one and waits until it is where it is to be, so that nobody waits for one that never came there.</summary>
    /// <param name="cpu">Where it stays; null for anywhere.</param>
    /// <param name="body">What it does there.</param>
    /// <param name="waitsItsTurn">Whether, when it wakes up, it leaves the CPU to whoever has it until that one sleeps (SCHED_BATCH, sched(7)).</param>
    /// <exception cref="FuseTransportException">It cannot be where, or what, it should be.</exception>
    public static PinnedThread Start(int? cpu, Action body, bool waitsItsTurn = false)
    {
        var thread = new PinnedThread(() => Place(cpu, waitsItsTurn), body);
        thread._thread.Start();
        if (!thread._placed.Task.Result)
        {
            thread.Join();
        }

        return thread;
    }

    /// <summary>Repeats an action on a CPU for as long as something else is measured.</summary>
    /// <param name="cpu">Where.</param>
    /// <param name="action">Comes to an end each time: only then does its thread see that the measurement is over.</param>
    /// <param name="measurement">Runs on the calling thread. What it throws is thrown; else, what the action has thrown.</param>
    /// <exception cref="FuseTransportException">There can be no thread on that CPU.</exception>
    public static T RepeatDuring<T>(int cpu, Action action, Func<T> measurement)
    {
        bool isOver = false;
        using PinnedThread thread = Start(cpu, () =>
        {
            while (!Volatile.Read(ref isOver))
            {
                action();
            }
        });
        T measured;
        try
        {
            measured = measurement();
        }
        finally
        {
            Volatile.Write(ref isOver, true);
        }

        thread.Join();
        return measured;
    }

    /// <summary>Waits for its end; throws what it threw.</summary>
    public void Join()
    {
        _thread.Join();
        if (_failure is not null)
        {
            ExceptionDispatchInfo.Throw(_failure);
        }
    }

    /// <summary>
    /// Waits for its end, and leaves its failure to <see cref="Join"/>: whoever disposes of it without that has an exception under way, which stays the
    /// one that is thrown, or learns of the failure otherwise.
    /// </summary>
    public void Dispose() => _thread.Join();

    private static void Place(int? cpu, bool waitsItsTurn)
    {
        if (cpu is int number && !ThreadPlacement.TryPin(new CpuSet([number])))
        {
            throw new FuseTransportException($"A thread could not be kept on CPU {cpu}.");
        }

        if (waitsItsTurn)
        {
            BecomeBatch();
        }
    }

    private static void BecomeBatch()
    {
        const int batch = 3;
        const int priorityBytes = 4;
        using var priority = new NativeBuffer(priorityBytes);
        if (Libc.Syscall(CallBenchmarks.Numbers.SchedSetscheduler, 0, batch, priority.Address, 0, 0, 0) != 0)
        {
            throw new FuseTransportException($"A thread could not be made SCHED_BATCH: {Libc.LastErrno}.");
        }
    }
}
