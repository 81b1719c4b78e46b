using System.Runtime.InteropServices;
using Harness.FuseProtocol.Wire;
using Mono.Unix.Native;

namespace Harness.FuseProtocol;

/// <summary>Reads each request's arguments, checks them, calls the file system, and turns what it returns into the reply.</summary>
/// <remarks>
/// A file system that completes at once is answered on the same stack with no allocation; one that waits, by a <see cref="PendingReply"/>.
/// The reply buffer may lie over arguments and payload, so whatever an answer needs of them is taken before the file system gets it.
/// </remarks>
internal sealed partial class Dispatcher(IFileSystem fileSystem, IFuseObserver? observer)
{
    private readonly IFileSystem _fileSystem = fileSystem;
    private readonly IFuseObserver? _observer = observer;

    /// <summary>Handles every opcode that is not the session's own. What it throws, the session answers by <see cref="Fault"/>.</summary>
    public void Dispatch(FuseRequest request) => Route(request, new NodeId(request.Header.NodeId), new RequestContext(request));

    /// <summary>Ends a request whose handling threw, and reports it. Does nothing to a request that has been answered.</summary>
    public void Fault(FuseRequest request, in InHeader header, Exception exception)
    {
        if (exception is OperationCanceledException && request.IsInterrupted)
        {
            request.TryFail(header.Unique, Errno.EINTR);
            return;
        }

        request.TryFail(header.Unique, Errno.EIO);
        _observer?.Faulted(in header, exception);
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

    private void Answer(FuseRequest request, ValueTask<Errno> task) =>
        Answer(request, task, static (request, error, _) => request.Reply(error));

    /// <summary>Answers with a wire struct.</summary>
    private void Answer<T>(FuseRequest request, ValueTask<Result<T>> task)
        where T : unmanaged => Answer(request, task, static (request, result, _) => Reply(request, result));

    /// <summary>Answers with what <paramref name="reply"/> makes of what the file system returns, now or later.</summary>
    private void Answer<T>(FuseRequest request, ValueTask<T> task, Replier<T> reply, int room = 0)
    {
        // A task that has failed is not waited for either: its result throws, and a continuation would run on another thread.
        if (task.IsCompleted)
        {
            reply(request, task.Result, room);
        }
        else
        {
            PendingReply.Await(this, request, task, reply, room);
        }
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

    /// <summary>Answers with as many bytes of the reply buffer as the file system says it filled.</summary>
    private static void ReplyLength(FuseRequest request, Result<int> result, int room)
    {
        if (result.IsOk)
        {
            request.Reply(Within(result.Value, room));
        }
        else
        {
            request.Reply(result.Error);
        }
    }

    /// <summary>Sees to it that no file system's mistake becomes a reply longer than the kernel asked for, which it would refuse.</summary>
    private static int Within(int length, int room) =>
        (uint)length <= (uint)room
            ? length
            : throw new InvalidOperationException($"The file system says {length} bytes where there were {room}.");

    private void Refuse(FuseRequest request, string reason)
    {
        _observer?.Refused(in request.Header, reason);
        request.TryFail(request.Header.Unique, Errno.EPROTO);
    }
}
