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
                Answer(request, _fileSystem.Readlink(context, node, buffer), ReplyLength, buffer.Length);
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
                if (TryTakeAttributeName(request, out ReadOnlyMemory<byte> removed))
                {
                    Answer(request, _fileSystem.Removexattr(context, node, removed));
                }

                break;
            case Opcode.Getxattr:
                if (TryTakeAttributeName(request, out ReadOnlyMemory<byte> name))
                {
                    // The value may be written over the name, which therefore has to move.
                    Memory<byte> value = AttributeBuffer(request);
                    Answer(request, _fileSystem.Getxattr(context, node, name.ToArray(), value), ReplyXattr, value.Length);
                }

                break;
            default:
                Memory<byte> names = AttributeBuffer(request);
                Answer(request, _fileSystem.Listxattr(context, node, names), ReplyXattr, names.Length);
                break;
        }
    }

    private static Memory<byte> AttributeBuffer(FuseRequest request) =>
        request.ReplyBuffer[..(int)Math.Min(Args<GetxattrIn>(request).Size, (uint)request.ReplyBuffer.Length)];

    private void Setxattr(FuseRequest request, NodeId node, RequestContext context)
    {
        SetxattrIn arg = default;
        request.Args.Span.CopyTo(MemoryMarshal.AsBytes(new Span<SetxattrIn>(ref arg)));
        if (!TryTakeAttributeName(request, out ReadOnlyMemory<byte> name))
        {
            return;
        }

        ReadOnlyMemory<byte> rest = request.Payload[(name.Length + 1)..];
        if (arg.Size > rest.Length)
        {
            Refuse(request, $"a value of {arg.Size} bytes was announced, {rest.Length} sent");
            return;
        }

        Answer(request, _fileSystem.Setxattr(context, node, name, rest[..(int)arg.Size], arg));
    }

    /// <summary>Takes the name of an extended attribute, which may well contain a slash.</summary>
    private bool TryTakeAttributeName(FuseRequest request, out ReadOnlyMemory<byte> name)
    {
        ReadOnlyMemory<byte> payload = request.Payload;
        int nul = payload.Span.IndexOf((byte)0);
        name = nul > 0 ? payload[..nul] : default;
        if (nul > 0)
        {
            return true;
        }

        Refuse(request, "an attribute's name was expected");
        return false;
    }

    private static void ReplyXattr(FuseRequest request, Result<int> result, int room)
    {
        if (!result.IsOk)
        {
            request.Reply(result.Error);
        }
        else if (room == 0)
        {
            request.Reply(new GetxattrOut { Size = (uint)Within(result.Value, int.MaxValue) });
        }
        else if (result.Value > room)
        {
            request.Reply(Errno.ERANGE);
        }
        else
        {
            request.Reply(Within(result.Value, room));
        }
    }

    private void NotifyReply(FuseRequest request, NodeId node)
    {
        NotifyRetrieveIn arg = Args<NotifyRetrieveIn>(request);
        if (arg.Size > (uint)request.Payload.Length)
        {
            Refuse(request, $"{arg.Size} bytes were announced, {request.Payload.Length} sent");
            return;
        }

        ulong number = FuseNotifier.RetrieveNumber(request.Header.Unique);
        _fileSystem.Retrieved(number, node, arg.Offset, request.Payload[..(int)arg.Size]);
        request.Complete();
    }
}
