using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Harness.FuseProtocol.Wire;
using Mono.Unix.Native;

namespace Harness.FuseProtocol;

/// <summary>Reads each request's arguments, checks them, calls the file system, and turns what it returns into the reply.</summary>
/// <remarks>
/// The one place with a catch-all: whatever a file system throws is answered EIO and reported. A file system that completes at once is
/// answered on the same stack with no allocation; one that waits, by a pooled <see cref="PendingReply{T}"/>.
/// </remarks>
internal sealed partial class Dispatcher(IFileSystem fileSystem, IFuseObserver? observer)
{
    private readonly IFileSystem _fileSystem = fileSystem;
    private readonly IFuseObserver? _observer = observer;

    /// <summary>Handles every opcode that is not the session's own.</summary>
    public void Dispatch(FuseRequest request)
    {
        InHeader header = request.Header;
        try
        {
            Route(request, new NodeId(header.NodeId), new RequestContext(request));
        }
#pragma warning disable CA1031 // The dispatcher is where a file system's bug becomes EIO instead of the end of the mount.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            Fault(request, in header, exception);
        }
    }

    private void Route(FuseRequest request, NodeId node, RequestContext context)
    {
        switch (request.Header.Opcode)
        {
            case Opcode.Read:
                Read(request, node, context);
                break;
            case Opcode.Write:
                Write(request, node, context);
                break;
            case Opcode.Getattr:
                Answer(request, _fileSystem.Getattr(context, node, Args<GetattrIn>(request)));
                break;
            case Opcode.Lookup:
                Lookup(request, node, context);
                break;
            case Opcode.Forget or Opcode.BatchForget:
                Forget(request, node);
                break;
            case Opcode.NotifyReply:
                NotifyReply(request, node);
                break;
            case Opcode.Setattr or Opcode.Statx or Opcode.Readlink or Opcode.Access or Opcode.Statfs or Opcode.Syncfs:
                RouteNode(request, node, context);
                break;
            case Opcode.Symlink or Opcode.Mknod or Opcode.Mkdir or Opcode.Unlink or Opcode.Rmdir or Opcode.Rename or Opcode.Rename2
                or Opcode.Link or Opcode.Create or Opcode.Tmpfile:
                RouteName(request, node, context);
                break;
            case Opcode.Setxattr or Opcode.Getxattr or Opcode.Listxattr or Opcode.Removexattr:
                RouteXattr(request, node, context);
                break;
            default:
                RouteFile(request, node, context);
                break;
        }
    }

    private static T Args<T>(FuseRequest request)
        where T : unmanaged => MemoryMarshal.Read<T>(request.Args.Span);

    private void Answer(FuseRequest request, ValueTask<Errno> task)
    {
        if (task.IsCompletedSuccessfully)
        {
            request.Reply(task.Result);
            return;
        }

        PendingReply<Errno>.Await(this, request, task, static (request, error) => request.Reply(error));
    }

    /// <summary>Answers with a wire struct.</summary>
    private void Answer<T>(FuseRequest request, ValueTask<Result<T>> task)
        where T : unmanaged
    {
        if (task.IsCompletedSuccessfully)
        {
            Reply(request, task.Result);
            return;
        }

        PendingReply<Result<T>>.Await(this, request, task, static (request, result) => Reply(request, result));
    }

    /// <summary>Answers with a wire struct made from what the file system returned.</summary>
    private void Answer<T>(FuseRequest request, ValueTask<Result<T>> task, Action<FuseRequest, Result<T>> reply)
    {
        if (task.IsCompletedSuccessfully)
        {
            reply(request, task.Result);
            return;
        }

        PendingReply<Result<T>>.Await(this, request, task, reply);
    }

    private static void Reply<T>(FuseRequest request, Result<T> result)
        where T : unmanaged
    {
        if (result.IsOk)
        {
            request.Reply(result.Value);
        }
        else
        {
            request.Reply(result.Error);
        }
    }

    /// <summary>Answers with as many bytes of the reply buffer as the file system says it filled, which it must have had room for.</summary>
    private static void ReplyLength(FuseRequest request, Result<int> result)
    {
        if (!result.IsOk)
        {
            request.Reply(result.Error);
            return;
        }

        request.Reply(result.Value);
    }

    private void Refuse(FuseRequest request, string reason)
    {
        _observer?.Refused(in request.Header, reason);
        request.Reply(Errno.EPROTO);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Fault(FuseRequest request, in InHeader header, Exception exception)
    {
        _observer?.Faulted(in header, exception);
        request.TryReply(header.Unique, Errno.EIO);
    }

    /// <summary>Waits for a file system and answers when it is done, without allocating in steady state.</summary>
    private sealed class PendingReply<T>
    {
        // A file system that waits is slow by nature; the bound only keeps a burst from staying in memory for ever.
        private const int PooledMax = 1024;

        private static readonly System.Collections.Concurrent.ConcurrentQueue<PendingReply<T>> s_pool = new();

        private readonly Action _continue;
        private Dispatcher _dispatcher = null!;
        private FuseRequest _request = null!;
        private Action<FuseRequest, T> _reply = null!;
        private ValueTaskAwaiter<T> _awaiter;

        private PendingReply() => _continue = Continue;

        public static void Await(Dispatcher dispatcher, FuseRequest request, ValueTask<T> task, Action<FuseRequest, T> reply)
        {
            if (!s_pool.TryDequeue(out PendingReply<T>? pending))
            {
                pending = new PendingReply<T>();
            }

            pending._dispatcher = dispatcher;
            pending._request = request;
            pending._reply = reply;
            pending._awaiter = task.GetAwaiter();
            pending._awaiter.UnsafeOnCompleted(pending._continue);
        }

        private void Continue()
        {
            (Dispatcher dispatcher, FuseRequest request, Action<FuseRequest, T> reply) = (_dispatcher, _request, _reply);
            InHeader header = request.Header;
            try
            {
                T result = _awaiter.GetResult();
                _awaiter = default;
                Return();
                reply(request, result);
            }
#pragma warning disable CA1031 // As in Dispatch: a file system's bug becomes EIO.
            catch (Exception exception)
#pragma warning restore CA1031
            {
                dispatcher.Fault(request, in header, exception);
            }
        }

        private void Return()
        {
            if (s_pool.Count < PooledMax)
            {
                s_pool.Enqueue(this);
            }
        }
    }
}
