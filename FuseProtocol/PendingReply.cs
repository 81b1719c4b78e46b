using System.Runtime.CompilerServices;
using Harness.FuseProtocol.Wire;

namespace Harness.FuseProtocol;

/// <summary>Turns what a file system returned into the answer.</summary>
/// <param name="request">Still unanswered.</param>
/// <param name="result">What the file system returned.</param>
/// <param name="room">Bytes that the file system had to fill or to take.</param>
internal delegate void Replier<T>(FuseRequest request, T result, int room);

/// <summary>
/// Waits for a file system and answers when it is done. A slot keeps one for each type of result, so that waiting allocates nothing in
/// steady state and shares nothing between CPUs.
/// </summary>
internal abstract class PendingReply
{
    /// <summary>The slot's next one, for another type of result.</summary>
    protected PendingReply? Next { get; init; }

    /// <summary>Answers <paramref name="request"/> once <paramref name="task"/>, which has not completed, does.</summary>
    public static void Await<T>(Dispatcher dispatcher, FuseRequest request, ValueTask<T> task, Replier<T> reply, int room)
    {
        for (PendingReply? kept = request.PendingReplies; kept is not null; kept = kept.Next)
        {
            if (kept is Of<T> match)
            {
                match.Start(dispatcher, request, task, reply, room);
                return;
            }
        }

        var made = new Of<T> { Next = request.PendingReplies };
        request.PendingReplies = made;
        made.Start(dispatcher, request, task, reply, room);
    }

    private sealed class Of<T> : PendingReply
    {
        private readonly Action _continue;
        private Dispatcher _dispatcher = null!;
        private FuseRequest _request = null!;
        private Replier<T> _reply = null!;
        private int _room;
        private ValueTaskAwaiter<T> _awaiter;

        public Of() => _continue = Continue;

        public void Start(Dispatcher dispatcher, FuseRequest request, ValueTask<T> task, Replier<T> reply, int room)
        {
            _dispatcher = dispatcher;
            _request = request;
            _reply = reply;
            _room = room;
            _awaiter = task.GetAwaiter();
            _awaiter.UnsafeOnCompleted(_continue);
        }

        private void Continue()
        {
            // Once the request is answered its slot, and this object with it, may be in use again on another thread.
            (Dispatcher dispatcher, FuseRequest request, Replier<T> reply, int room) = (_dispatcher, _request, _reply, _room);
            ValueTaskAwaiter<T> awaiter = _awaiter;
            _awaiter = default;
            InHeader header = request.Header;
            try
            {
                reply(request, awaiter.GetResult(), room);
            }
#pragma warning disable CA1031 // As in FuseSession.Handle: a file system's bug becomes EIO.
            catch (Exception exception)
#pragma warning restore CA1031
            {
                dispatcher.Fault(request, in header, exception);
            }
        }
    }
}
