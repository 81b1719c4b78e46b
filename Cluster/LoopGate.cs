using System.Threading.Tasks.Sources;

namespace Harness.Cluster;

/// <summary>Lets one through at a time, in order of arrival, on one loop. Entering costs nothing while nobody is inside.</summary>
internal sealed class LoopGate
{
    private readonly Queue<Waiter> _waiting = new();
    private readonly Stack<Waiter> _free = new();

    /// <summary>Whether somebody is inside.</summary>
    public bool IsTaken { get; private set; }

    /// <summary>How many wait outside.</summary>
    public int Waiting => _waiting.Count;

    /// <summary>Waits until nobody is inside, and goes in. Whoever goes in calls <see cref="Leave"/> once.</summary>
    public ValueTask Enter()
    {
        if (!IsTaken)
        {
            IsTaken = true;
            return default;
        }

        if (!_free.TryPop(out Waiter? waiter))
        {
            waiter = new Waiter(this);
        }

        _waiting.Enqueue(waiter);
        return waiter.Wait();
    }

    /// <summary>Goes out; the next, if one waits, goes in and on before this returns.</summary>
    public void Leave()
    {
        if (_waiting.TryDequeue(out Waiter? next))
        {
            next.Pass();
        }
        else
        {
            IsTaken = false;
        }
    }

    private sealed class Waiter(LoopGate gate) : IValueTaskSource
    {
        private ManualResetValueTaskSourceCore<bool> _source;

        public ValueTask Wait()
        {
            _source.Reset();
            return new ValueTask(this, _source.Version);
        }

        public void Pass() => _source.SetResult(true);

        void IValueTaskSource.GetResult(short token)
        {
            _source.GetResult(token);
            gate._free.Push(this);
        }

        ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _source.GetStatus(token);

        void IValueTaskSource.OnCompleted(Action<object?> next, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
            _source.OnCompleted(next, state, token, ValueTaskSourceOnCompletedFlags.None);
    }
}
