using System.Runtime.ExceptionServices;

namespace Harness.Runtime;

/// <content>
/// Whose turn it is. One thread at a time is the loop: its own while it runs callbacks and handlers, and, while that one sleeps or looks for
/// work, any other that has something for the loop to do. A request that the loop can answer from memory then costs no change of threads:
/// posting it and waiting for the answer is two, which take longer than most answers.
/// </content>
public sealed partial class EventLoop
{
    private static readonly Action<object?> s_rethrow = static state => ((ExceptionDispatchInfo)state!).Throw();

    private readonly Lock _turn = new();
    private readonly LoopContext _context;
    private SynchronizationContext? _guestsContext;
    private int _owner;

    /// <inheritdoc/>
    public bool IsCurrent => Volatile.Read(ref _owner) == Environment.CurrentManagedThreadId;

    /// <inheritdoc/>
    public bool TryEnter()
    {
        if (!_ready.IsEmpty || Volatile.Read(ref _stopping) != 0 || IsCurrent || !_turn.TryEnter())
        {
            return false;
        }

        Volatile.Write(ref _owner, Environment.CurrentManagedThreadId);
        _guestsContext = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(_context);
        return true;
    }

    /// <inheritdoc/>
    public void Leave()
    {
        bool more = true;
        try
        {
            more = RunQueue(CallbacksPerRound) == 0;
        }
#pragma warning disable CA1031 // It is not this thread's: where nobody asked to be told, it ends the process as it would have on the loop's own thread.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            _ready.Enqueue(new Work(s_rethrow, ExceptionDispatchInfo.Capture(exception)));
        }

        SynchronizationContext.SetSynchronizationContext(_guestsContext);
        EndTurn();
        if (more)
        {
            WakeIfAsleep();
        }
    }

    private void BeginTurn()
    {
        _turn.Enter();
        Volatile.Write(ref _owner, Environment.CurrentManagedThreadId);
    }

    private void EndTurn()
    {
        Volatile.Write(ref _owner, 0);
        _turn.Exit();
    }

    /// <summary>Runs what is queued; returns how many callbacks more it might have run.</summary>
    private int RunQueue(int budget)
    {
        while (budget > 0 && Volatile.Read(ref _stopping) == 0 && _ready.TryDequeue(out Work work))
        {
            Invoke(work);
            budget--;
        }

        return budget;
    }
}
