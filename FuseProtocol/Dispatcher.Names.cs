using System.Runtime.InteropServices;
using Harness.FuseProtocol.Wire;

namespace Harness.FuseProtocol;

internal sealed partial class Dispatcher
{
    private void Lookup(FuseRequest request, NodeId parent, RequestContext context)
    {
        if (TryTakeName(request, out ReadOnlyMemory<byte> name, allowDots: true))
        {
            Answer(request, _fileSystem.Lookup(context, parent, name));
        }
    }

    private void RouteName(FuseRequest request, NodeId node, RequestContext context)
    {
        switch (request.Header.Opcode)
        {
            case Opcode.Rename:
                Rename(request, node, context, new NodeId(Args<RenameIn>(request).Newdir), RenameFlags.None);
                return;
            case Opcode.Rename2:
                Rename2In rename = Args<Rename2In>(request);
                Rename(request, node, context, new NodeId(rename.Newdir), rename.Flags);
                return;
            case Opcode.Symlink:
                Symlink(request, node, context);
                return;
            case Opcode.Tmpfile:
                // The kernel sends a placeholder for the name, which means nothing (fs/fuse/dir.c, fuse_tmpfile).
                Answer(request, _fileSystem.Tmpfile(context, node, Args<CreateIn>(request)));
                return;
            default:
                break;
        }

        if (!TryTakeName(request, out ReadOnlyMemory<byte> name))
        {
            return;
        }

        switch (request.Header.Opcode)
        {
            case Opcode.Mknod:
                Answer(request, _fileSystem.Mknod(context, node, name, Args<MknodIn>(request)));
                break;
            case Opcode.Mkdir:
                Answer(request, _fileSystem.Mkdir(context, node, name, Args<MkdirIn>(request)));
                break;
            case Opcode.Unlink:
                Answer(request, _fileSystem.Unlink(context, node, name));
                break;
            case Opcode.Rmdir:
                Answer(request, _fileSystem.Rmdir(context, node, name));
                break;
            case Opcode.Link:
                Answer(request, _fileSystem.Link(context, new NodeId(Args<LinkIn>(request).Oldnodeid), node, name));
                break;
            default:
                Answer(request, _fileSystem.Create(context, node, name, Args<CreateIn>(request)));
                break;
        }
    }

    private void Rename(FuseRequest request, NodeId parent, RequestContext context, NodeId newParent, RenameFlags flags)
    {
        if (TrySplitStrings(request, out ReadOnlyMemory<byte> name, out ReadOnlyMemory<byte> newName) && IsName(name.Span) && IsName(newName.Span))
        {
            Answer(request, _fileSystem.Rename(context, parent, name, newParent, newName, flags));
            return;
        }

        Refuse(request, "two names were expected");
    }

    private void Symlink(FuseRequest request, NodeId parent, RequestContext context)
    {
        if (TrySplitStrings(request, out ReadOnlyMemory<byte> name, out ReadOnlyMemory<byte> target) && IsName(name.Span) && target.Length > 0)
        {
            Answer(request, _fileSystem.Symlink(context, parent, name, target));
            return;
        }

        Refuse(request, "a name and a target were expected");
    }

    private void Forget(FuseRequest request, NodeId node)
    {
        if (request.Header.Opcode == Opcode.Forget)
        {
            _fileSystem.Forget(node, Args<ForgetIn>(request).Nlookup);
            request.Complete();
            return;
        }

        uint count = Args<BatchForgetIn>(request).Count;
        ReadOnlySpan<ForgetOne> all = MemoryMarshal.Cast<byte, ForgetOne>(request.Payload.Span);
        if (count > (uint)all.Length)
        {
            Refuse(request, $"{count} nodes to forget were announced, {all.Length} sent");
            return;
        }

        foreach (ref readonly ForgetOne one in all[..(int)count])
        {
            _fileSystem.Forget(new NodeId(one.Nodeid), one.Nlookup);
        }

        request.Complete();
    }

    private bool TryTakeName(FuseRequest request, out ReadOnlyMemory<byte> name, bool allowDots = false)
    {
        ReadOnlyMemory<byte> payload = request.Payload;
        int nul = payload.Span.IndexOf((byte)0);
        name = nul >= 0 ? payload[..nul] : default;
        if (IsName(name.Span, allowDots))
        {
            return true;
        }

        Refuse(request, "a name was expected");
        return false;
    }

    private static bool TrySplitStrings(FuseRequest request, out ReadOnlyMemory<byte> first, out ReadOnlyMemory<byte> second)
    {
        ReadOnlyMemory<byte> payload = request.Payload;
        first = default;
        second = default;
        int firstEnd = payload.Span.IndexOf((byte)0);
        if (firstEnd < 0)
        {
            return false;
        }

        ReadOnlyMemory<byte> rest = payload[(firstEnd + 1)..];
        int secondEnd = rest.Span.IndexOf((byte)0);
        if (secondEnd < 0)
        {
            return false;
        }

        first = payload[..firstEnd];
        second = rest[..secondEnd];
        return true;
    }

    private static bool IsName(ReadOnlySpan<byte> name, bool allowDots = false) =>
        name.Length is > 0 and <= Protocol.NameMax && !name.Contains((byte)'/') &&
        (allowDots || !(name.SequenceEqual("."u8) || name.SequenceEqual(".."u8)));
}
