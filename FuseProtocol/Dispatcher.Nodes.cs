using System.Runtime.InteropServices;
using Harness.FuseProtocol.Wire;
using Mono.Unix.Native;

namespace Harness.FuseProtocol;

internal sealed partial class Dispatcher
{
    private void RouteNode(FuseRequest request, NodeId node, RequestContext context)
    {
        switch (request.Header.Opcode)
        {
            case Opcode.Setattr:
                Answer(request, _fileSystem.Setattr(context, node, Args<SetattrIn>(request)));
                break;
            case Opcode.Statx:
                Answer(request, _fileSystem.Statx(context, node, Args<StatxIn>(request)));
                break;
            case Opcode.Readlink:
                // A link's target is at most a page (fs/fuse/dir.c, fuse_readlink_folio).
                Memory<byte> buffer = request.ReplyBuffer[..Math.Min(request.ReplyBuffer.Length, SessionOptions.PageSize - 1)];
                Answer(request, _fileSystem.Readlink(context, node, buffer), ReplyLength);
                break;
            case Opcode.Access:
                Answer(request, _fileSystem.Access(context, node, Args<AccessIn>(request).Mask));
                break;
            case Opcode.Syncfs:
                Answer(request, _fileSystem.Syncfs(context, node));
                break;
            default:
                Answer(request, _fileSystem.Statfs(context, node));
                break;
        }
    }

    private void RouteXattr(FuseRequest request, NodeId node, RequestContext context)
    {
        switch (request.Header.Opcode)
        {
            case Opcode.Setxattr:
                Setxattr(request, node, context);
                break;
            case Opcode.Removexattr:
                if (TryTakeName(request, out ReadOnlyMemory<byte> removed))
                {
                    Answer(request, _fileSystem.Removexattr(context, node, removed));
                }

                break;
            case Opcode.Getxattr:
                if (TryTakeName(request, out ReadOnlyMemory<byte> name))
                {
                    // The value may be written over the name, which therefore has to move.
                    int size = (int)Math.Min(Args<GetxattrIn>(request).Size, (uint)request.ReplyBuffer.Length);
                    Answer(request, _fileSystem.Getxattr(context, node, name.ToArray(), request.ReplyBuffer[..size]), ReplyXattr);
                }

                break;
            default:
                int listSize = (int)Math.Min(Args<GetxattrIn>(request).Size, (uint)request.ReplyBuffer.Length);
                Answer(request, _fileSystem.Listxattr(context, node, request.ReplyBuffer[..listSize]), ReplyXattr);
                break;
        }
    }

    private void Setxattr(FuseRequest request, NodeId node, RequestContext context)
    {
        SetxattrIn arg = default;
        request.Args.Span.CopyTo(MemoryMarshal.AsBytes(new Span<SetxattrIn>(ref arg)));
        ReadOnlyMemory<byte> payload = request.Payload;
        int nul = payload.Span.IndexOf((byte)0);
        if (nul <= 0 || arg.Size > payload.Length - nul - 1)
        {
            Refuse(request, "an attribute's name and value were expected");
            return;
        }

        Answer(request, _fileSystem.Setxattr(context, node, payload[..nul], payload.Slice(nul + 1, (int)arg.Size), arg));
    }

    private static void ReplyXattr(FuseRequest request, Result<int> result)
    {
        uint asked = Args<GetxattrIn>(request).Size;
        if (!result.IsOk)
        {
            request.Reply(result.Error);
        }
        else if (asked == 0)
        {
            request.Reply(new GetxattrOut { Size = (uint)result.Value });
        }
        else if (result.Value > asked)
        {
            request.Reply(Errno.ERANGE);
        }
        else
        {
            request.Reply(result.Value);
        }
    }

    private void NotifyReply(FuseRequest request, NodeId node)
    {
        NotifyRetrieveIn arg = Args<NotifyRetrieveIn>(request);
        if (arg.Size > request.Payload.Length)
        {
            _observer?.Refused(in request.Header, "less data was retrieved than announced");
        }
        else
        {
            _fileSystem.Retrieved(request.Header.Unique, node, arg.Offset, request.Payload[..(int)arg.Size]);
        }

        request.Complete();
    }
}
