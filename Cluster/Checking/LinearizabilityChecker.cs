using System.Diagnostics.CodeAnalysis;

namespace Harness.Cluster.Checking;

/// <summary>What a thing does when operations come one after another.</summary>
internal interface IModel<TState>
    where TState : IEquatable<TState>
{
    /// <summary>What it is before all operations.</summary>
    TState Initial { get; }

    /// <summary>Carries an operation out.</summary>
    /// <param name="state">What it is before.</param>
    /// <param name="call">The operation; of one without an answer any outcome may be assumed.</param>
    /// <param name="next">What it is afterwards.</param>
    /// <returns>False if the operation could not have been answered so in this state.</returns>
    bool TryStep(TState state, Call call, [MaybeNullWhen(false)] out TState next);
}

/// <summary>What a check has come to.</summary>
internal enum Verdict
{
    /// <summary>There is an order.</summary>
    Linearizable,

    /// <summary>There is none.</summary>
    NotLinearizable,

    /// <summary>The search was given up.</summary>
    Undecided,
}

/// <summary>
/// Looks for an order of a history's operations in which each lies between its call and its answer and a sequential model agrees with all
/// answers. Operations without an answer may have happened at any time after their call, or never. Calls with the same number are the ways in
/// which one such operation may have gone: of them one happens at most.
/// </summary>
/// <remarks>
/// The search of Wing and Gong ("Testing and verifying concurrent objects", JPDC 17, 1993) with Lowe's memory of configurations that have
/// led nowhere ("Testing for linearizability", CCPE 29, 2017), over a linked list of calls and answers.
/// </remarks>
internal static class LinearizabilityChecker
{
    /// <summary>Steps after which a search is given up.</summary>
    public const int StepsMax = 4_000_000;

    /// <summary>Checks a history.</summary>
    /// <param name="model">The sequential model.</param>
    /// <param name="calls">The calls, in any order.</param>
    /// <param name="culprit">The answer that the search could not get past, if there is no order.</param>
    public static Verdict Check<TState>(IModel<TState> model, IReadOnlyList<Call> calls, out Call? culprit)
        where TState : IEquatable<TState> => new Search<TState>(model, calls).Run(out culprit);

    private sealed class Node(Call call, int index, bool isReturn)
    {
        public Call Call { get; } = call;

        public int Index { get; } = index;

        public bool IsReturn { get; } = isReturn;

        public Node? Match { get; set; }

        public Node? Previous { get; set; }

        public Node? Next { get; set; }
    }

    private sealed class Search<TState>(IModel<TState> model, IReadOnlyList<Call> calls)
        where TState : IEquatable<TState>
    {
        private readonly Node _head = new(null!, -1, false);
        private readonly HashSet<Configuration<TState>> _seen = [];
        private readonly Stack<(Node Call, TState Before)> _done = new();
        private readonly ulong[] _taken = new ulong[(calls.Count + 63) / 64];
        private int _answersLeft;

        public Verdict Run(out Call? culprit)
        {
            Link();
            TState state = model.Initial;
            culprit = null;
            int fewestLeft = int.MaxValue;
            Node? at = _head.Next;
            for (int steps = 0; _answersLeft > 0; steps++)
            {
                if (steps >= StepsMax)
                {
                    return Verdict.Undecided;
                }

                if (at is { IsReturn: false })
                {
                    at = !IsTaken(at.Index) && TryTake(at, ref state) ? _head.Next : at.Next;
                    continue;
                }

                if (at is not null && _answersLeft < fewestLeft)
                {
                    (fewestLeft, culprit) = (_answersLeft, at.Call);
                }

                if (_done.Count == 0)
                {
                    return Verdict.NotLinearizable;
                }

                (Node last, state) = _done.Pop();
                PutBack(last);
                at = last.Next;
            }

            culprit = null;
            return Verdict.Linearizable;
        }

        private void Link()
        {
            var nodes = new List<(long Time, bool IsReturn, Node Node)>();
            var operations = new Dictionary<int, int>();
            for (int i = 0; i < calls.Count; i++)
            {
                operations.TryAdd(calls[i].Id, i);
                int index = operations[calls[i].Id];
                var call = new Node(calls[i], index, isReturn: false);
                nodes.Add((calls[i].InvokedNanoseconds, false, call));
                if (!calls[i].IsOpen)
                {
                    call.Match = new Node(calls[i], index, isReturn: true);
                    nodes.Add((calls[i].ReturnedNanoseconds, true, call.Match));
                    _answersLeft++;
                }
            }

            // At one instant calls come before answers: such operations may have overlapped.
            Node last = _head;
            foreach ((_, _, Node node) in nodes.OrderBy(static one => one.Time).ThenBy(static one => one.IsReturn).ThenBy(static one => one.Node.Index))
            {
                (last.Next, node.Previous) = (node, last);
                last = node;
            }
        }

        private bool TryTake(Node call, ref TState state)
        {
            if (!model.TryStep(state, call.Call, out TState? next))
            {
                return false;
            }

            Flip(call.Index);
            if (!_seen.Add(new Configuration<TState>([.. _taken], next)))
            {
                Flip(call.Index);
                return false;
            }

            _done.Push((call, state));
            state = next;
            Unlink(call);
            if (call.Match is { } answer)
            {
                Unlink(answer);
                _answersLeft--;
            }

            return true;
        }

        private void PutBack(Node call)
        {
            Flip(call.Index);
            if (call.Match is { } answer)
            {
                Relink(answer);
                _answersLeft++;
            }

            Relink(call);
        }

        private bool IsTaken(int index) => (_taken[index / 64] & (1UL << (index % 64))) != 0;

        private void Flip(int index) => _taken[index / 64] ^= 1UL << (index % 64);

        private static void Unlink(Node node)
        {
            node.Previous!.Next = node.Next;
            if (node.Next is { } next)
            {
                next.Previous = node.Previous;
            }
        }

        private static void Relink(Node node)
        {
            node.Previous!.Next = node;
            if (node.Next is { } next)
            {
                next.Previous = node;
            }
        }
    }

    private readonly struct Configuration<TState>(ulong[] taken, TState state) : IEquatable<Configuration<TState>>
        where TState : IEquatable<TState>
    {
        private readonly ulong[] _taken = taken;
        private readonly TState _state = state;

        public bool Equals(Configuration<TState> other) => _taken.AsSpan().SequenceEqual(other._taken) && _state.Equals(other._state);

        public override bool Equals(object? obj) => obj is Configuration<TState> other && Equals(other);

        public override int GetHashCode()
        {
            var hash = new HashCode();
            foreach (ulong word in _taken)
            {
                hash.Add(word);
            }

            hash.Add(_state);
            return hash.ToHashCode();
        }
    }
}
