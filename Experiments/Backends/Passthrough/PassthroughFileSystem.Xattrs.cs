using System.Buffers;
using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;
using Harness.Runtime.Native;
using Mono.Unix.Native;

namespace Harness.Experiments.Backends.Passthrough;

/// <content>Extended attributes, access control lists among them. Namespaces, limits and formats are the host's.</content>
internal sealed partial class PassthroughFileSystem
{
    // include/uapi/linux/limits.h, with room for NUL.
    private const int XattrNameBytesMax = 256;
    private const int XattrListBytesMax = 65_536;

    private static ReadOnlySpan<byte> TrustedPrefix => "trusted."u8;

    /// <inheritdoc/>
    public ValueTask<Errno> Setxattr(
        RequestContext context, NodeId node, ReadOnlyMemory<byte> name, ReadOnlyMemory<byte> value, SetxattrIn arg)
    {
        using NodeFile found = _nodes.Open(node);
        Errno error = ToText(found, name.Span, stackalloc byte[XattrNameBytesMax], out ReadOnlySpan<byte> text);
        if (error != Errnos.Ok)
        {
            return new(error);
        }

        using Callers.Assumed caller = _callers.ClearSetIds(context, (arg.SetxattrFlags & SetxattrExtFlags.AclKillSgid) != 0);
        using var path = new DescriptorPath(found.Descriptor);
        error = Checked(Libc.Setxattr(path.Text, text, value.Span, (int)arg.Flags));
        return new(FirstRun.HasSet(context, error, path.Text, text, value.Span) ? Errnos.Ok : error);
    }

    /// <inheritdoc/>
    public ValueTask<Result<int>> Getxattr(RequestContext context, NodeId node, ReadOnlyMemory<byte> name, Memory<byte> buffer)
    {
        using NodeFile found = _nodes.Open(node);
        Errno error = ToText(found, name.Span, stackalloc byte[XattrNameBytesMax], out ReadOnlySpan<byte> text);
        if (error != Errnos.Ok)
        {
            return new(error);
        }

        using var path = new DescriptorPath(found.Descriptor);
        nint length = Libc.Getxattr(path.Text, text, buffer.Span);
        return length >= 0 ? new((int)length) : new(LastError);
    }

    /// <summary>Lists the names. Those of <c>trusted.</c>, which this process may see, exist for root only (xattr(7)).</summary>
    public ValueTask<Result<int>> Listxattr(RequestContext context, NodeId node, Memory<byte> buffer)
    {
        using NodeFile found = _nodes.Open(node);
        if (found.Error != Errnos.Ok)
        {
            return new(found.Error);
        }

        using var path = new DescriptorPath(found.Descriptor);
        if (context.Uid == 0)
        {
            nint length = Libc.Listxattr(path.Text, buffer.Span);
            return length >= 0 ? new((int)length) : new(LastError);
        }

        byte[] list = ArrayPool<byte>.Shared.Rent(XattrListBytesMax);
        try
        {
            nint length = Libc.Listxattr(path.Text, list);
            return length >= 0 ? new(CopyUntrusted(list.AsSpan(0, (int)length), buffer.Span)) : new(LastError);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(list);
        }
    }

    /// <inheritdoc/>
    public ValueTask<Errno> Removexattr(RequestContext context, NodeId node, ReadOnlyMemory<byte> name)
    {
        using NodeFile found = _nodes.Open(node);
        Errno error = ToText(found, name.Span, stackalloc byte[XattrNameBytesMax], out ReadOnlySpan<byte> text);
        if (error != Errnos.Ok)
        {
            return new(error);
        }

        using var path = new DescriptorPath(found.Descriptor);
        bool wasThere = FirstRun.HadAttribute(context, path.Text, text);
        error = Checked(Libc.Removexattr(path.Text, text));
        return new(error == Errno.ENODATA && wasThere ? Errnos.Ok : error);
    }

    private static Errno ToText(NodeFile file, ReadOnlySpan<byte> name, Span<byte> buffer, out ReadOnlySpan<byte> text)
    {
        text = buffer;
        if (file.Error != Errnos.Ok)
        {
            return file.Error;
        }

        if (name.Length >= buffer.Length || name.Contains((byte)0))
        {
            return Errno.ERANGE;
        }

        name.CopyTo(buffer);
        buffer[name.Length] = 0;
        return Errnos.Ok;
    }

    private static Result<int> CopyUntrusted(ReadOnlySpan<byte> list, Span<byte> buffer)
    {
        int length = 0;
        while (!list.IsEmpty)
        {
            ReadOnlySpan<byte> name = list[..(list.IndexOf((byte)0) + 1)];
            list = list[name.Length..];
            if (name.StartsWith(TrustedPrefix))
            {
                continue;
            }

            if (!buffer.IsEmpty && !name.TryCopyTo(buffer[length..]))
            {
                return Errno.ERANGE;
            }

            length += name.Length;
        }

        return length;
    }
}
