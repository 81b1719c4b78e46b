using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Harness.FuseProtocol.Wire;
using Mono.Unix.Native;

namespace Harness.FuseProtocol;

internal sealed partial class Dispatcher
{
    /// <summary>The most that COPY_FILE_RANGE can say it copied: as many whole pages as 32 bits count, in bytes.</summary>
    private const ulong CopyLengthMax = uint.MaxValue & ~(SessionOptions.PageSize - 1U);

    private void Read(FuseRequest request, NodeId node, RequestContext context)
    {
        ReadIn arg = Args<ReadIn>(request);
        if (arg.Size > (uint)request.ReplyBuffer.Length)
        {
            Refuse(request, $"{arg.Size} bytes were asked for, more than a message holds");
            return;
        }

        Answer(request, _fileSystem.Read(context, node, arg, request.ReplyBuffer[..(int)arg.Size]), ReplyLength, (int)arg.Size);
    }

    private void Write(FuseRequest request, NodeId node, RequestContext context)
    {
        WriteIn arg = Args<WriteIn>(request);
        if (arg.Size > (uint)request.Payload.Length)
        {
            Refuse(request, $"{arg.Size} bytes were announced, {request.Payload.Length} sent");
            return;
        }

        Answer(request, _fileSystem.Write(context, node, arg, request.Payload[..(int)arg.Size]), ReplyWritten, (int)arg.Size);
    }

    private static void ReplyWritten(FuseRequest request, Result<int> result, int room)
    {
        if (result.IsOk)
        {
            request.Reply(new WriteOut { Size = (uint)Within(result.Value, room) });
        }
        else
        {
            request.Reply(result.Error);
        }
    }

    private void RouteFile(FuseRequest request, NodeId node, RequestContext context)
    {
        switch (request.Header.Opcode)
        {
            case Opcode.Open:
                Answer(request, _fileSystem.Open(context, node, Args<OpenIn>(request)));
                break;
            case Opcode.Opendir:
                Answer(request, _fileSystem.Opendir(context, node, Args<OpenIn>(request)));
                break;
            case Opcode.Readdir or Opcode.Readdirplus:
                Readdir(request, node, context);
                break;
            case Opcode.Flush:
                Answer(request, _fileSystem.Flush(context, node, Args<FlushIn>(request)));
                break;
            case Opcode.Release:
                Answer(request, _fileSystem.Release(context, node, Args<ReleaseIn>(request)));
                break;
            case Opcode.Releasedir:
                Answer(request, _fileSystem.Releasedir(context, node, Args<ReleaseIn>(request)));
                break;
            case Opcode.Fsync:
                Answer(request, _fileSystem.Fsync(context, node, Args<FsyncIn>(request)));
                break;
            case Opcode.Fsyncdir:
                Answer(request, _fileSystem.Fsyncdir(context, node, Args<FsyncIn>(request)));
                break;
            case Opcode.Fallocate:
                Answer(request, _fileSystem.Fallocate(context, node, Args<FallocateIn>(request)));
                break;
            default:
                RouteRest(request, node, context);
                break;
        }
    }

    private void RouteRest(FuseRequest request, NodeId node, RequestContext context)
    {
        switch (request.Header.Opcode)
        {
            case Opcode.Getlk:
                Answer(request, _fileSystem.Getlk(context, node, Args<LkIn>(request)));
                break;
            case Opcode.Setlk or Opcode.Setlkw:
                bool wait = request.Header.Opcode == Opcode.Setlkw;
                Answer(request, _fileSystem.Setlk(context, node, Args<LkIn>(request), wait));
                break;
            case Opcode.Lseek:
                Answer(request, _fileSystem.Lseek(context, node, Args<LseekIn>(request)));
                break;
            case Opcode.CopyFileRange:
                CopyFileRangeIn copy = Args<CopyFileRangeIn>(request);
                // The reply counts in 32 bits, so a kernel that asks for more is given less (fs/fuse/file.c, __fuse_copy_file_range).
                copy.Len = Math.Min(copy.Len, CopyLengthMax);
                Answer(request, _fileSystem.CopyFileRange(context, node, copy), ReplyCopied);
                break;
            case Opcode.CopyFileRange64:
                Answer(request, _fileSystem.CopyFileRange(context, node, Args<CopyFileRangeIn>(request)));
                break;
            case Opcode.Bmap:
                Answer(request, _fileSystem.Bmap(context, node, Args<BmapIn>(request)));
                break;
            case Opcode.Poll:
                Answer(request, _fileSystem.Poll(context, node, Args<PollIn>(request)), ReplyPolled);
                break;
            case Opcode.Ioctl:
                Ioctl(request, node, context);
                break;
            default:
                // SETUPMAPPING and REMOVEMAPPING map a window that only a virtio device has.
                request.Reply(Errno.ENOSYS);
                break;
        }
    }

    private void Readdir(FuseRequest request, NodeId node, RequestContext context)
    {
        ReadIn arg = Args<ReadIn>(request);
        Memory<byte> buffer = request.ReplyBuffer[..(int)Math.Min(arg.Size, (uint)request.ReplyBuffer.Length)];
        ValueTask<Result<int>> task = request.Header.Opcode == Opcode.Readdir
            ? _fileSystem.Readdir(context, node, arg, buffer)
            : _fileSystem.Readdirplus(context, node, arg, buffer);
        Answer(request, task, ReplyLength, buffer.Length);
    }

    private void Ioctl(FuseRequest request, NodeId node, RequestContext context)
    {
        IoctlIn arg = Args<IoctlIn>(request);
        // Where a retry may be asked for, its list of ranges has at least a page (fs/fuse/ioctl.c, fuse_do_ioctl).
        bool unrestricted = (arg.Flags & IoctlFlags.Unrestricted) != 0;
        uint room = unrestricted ? Math.Max(arg.OutSize, SessionOptions.PageSize) : arg.OutSize;
        int ioctlOutSize = Unsafe.SizeOf<IoctlOut>();
        if (arg.InSize > (uint)request.Payload.Length || room > (uint)Math.Max(0, request.ReplyBuffer.Length - ioctlOutSize))
        {
            Refuse(request, "the sizes of an ioctl do not fit its message");
            return;
        }

        // The answer may be written over the data, which therefore have to move.
        byte[] data = request.Payload.Span[..(int)arg.InSize].ToArray();
        Memory<byte> buffer = request.ReplyBuffer.Slice(ioctlOutSize, (int)room);
        Answer(request, _fileSystem.Ioctl(context, node, arg, data, buffer), ReplyIoctl, (int)room);
    }

    private static void ReplyIoctl(FuseRequest request, Result<IoctlReply> result, int room)
    {
        if (!result.IsOk)
        {
            request.Reply(result.Error);
            return;
        }

        int length = Within(result.Value.Length, room);
        IoctlOut header = result.Value.Out;
        MemoryMarshal.Write(request.ReplyBuffer.Span, in header);
        request.Reply(Unsafe.SizeOf<IoctlOut>() + length);
    }

    private static void ReplyPolled(FuseRequest request, Result<uint> result, int room) =>
        Reply(request, result.IsOk ? new PollOut { Revents = result.Value } : (Result<PollOut>)result.Error);

    private static void ReplyCopied(FuseRequest request, Result<ulong> result, int room) =>
        Reply(request, result.IsOk ? new WriteOut { Size = checked((uint)result.Value) } : (Result<WriteOut>)result.Error);
}
