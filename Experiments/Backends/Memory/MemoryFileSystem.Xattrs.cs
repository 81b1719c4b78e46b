using Harness.FuseProtocol;
using Harness.FuseProtocol.Posix;
using Harness.FuseProtocol.Wire;
using Mono.Unix.Native;

namespace Harness.Experiments.Backends.Memory;

/// <content>Extended attributes: those of xattr(7)'s four namespaces, of <c>system.</c> only the access control lists.</content>
internal sealed partial class MemoryFileSystem
{
    /// <summary>Longest name and largest value, in bytes (include/uapi/linux/limits.h, XATTR_NAME_MAX and XATTR_SIZE_MAX).</summary>
    private const int XattrNameBytesMax = 255;
    private const int XattrValueBytesMax = 65_536;

    private static ReadOnlySpan<byte> CapabilityName => "security.capability"u8;

    private static ReadOnlySpan<byte> TrustedPrefix => "trusted."u8;

    /// <inheritdoc/>
    public ValueTask<Errno> Setxattr(
        RequestContext context, NodeId node, ReadOnlyMemory<byte> name, ReadOnlyMemory<byte> value, SetxattrIn arg)
    {
        if (Find(node) is not { } inode)
        {
            return new(Errno.ESTALE);
        }

        Errno error = CheckName(inode, name.Span);
        if (error != Errnos.Ok || value.Length > XattrValueBytesMax)
        {
            return new(error != Errnos.Ok ? error : Errno.E2BIG);
        }

        lock (inode.Gate)
        {
            bool exists = inode.Xattrs?.Find(name.Span) is not null;
            error = (XattrFlags)arg.Flags switch
            {
                XattrFlags.XATTR_AUTO => Errnos.Ok,
                XattrFlags.XATTR_CREATE => exists ? Errno.EEXIST : Errnos.Ok,
                XattrFlags.XATTR_REPLACE => exists ? Errnos.Ok : Errno.ENODATA,
                _ => Errno.EINVAL,
            };
            if (error == Errnos.Ok)
            {
                error = PosixAcl.IsName(name.Span)
                    ? SetAcl(inode, name.Span, value.Span, (arg.SetxattrFlags & SetxattrExtFlags.AclKillSgid) != 0)
                    : SetXattr(inode, name.Span, value.Span);
            }

            if (error == Errnos.Ok)
            {
                inode.Ctime = Now;
            }

            return new(error);
        }
    }

    /// <inheritdoc/>
    public ValueTask<Result<int>> Getxattr(RequestContext context, NodeId node, ReadOnlyMemory<byte> name, Memory<byte> buffer)
    {
        if (Find(node) is not { } inode)
        {
            return new(Errno.ESTALE);
        }

        Errno error = CheckName(inode, name.Span);
        if (error != Errnos.Ok)
        {
            return new(error);
        }

        lock (inode.Gate)
        {
            if (inode.Xattrs?.Find(name.Span) is not { } value)
            {
                return new(Errno.ENODATA);
            }

            if (!buffer.IsEmpty && value.Length > buffer.Length)
            {
                return new(Errno.ERANGE);
            }

            value.AsSpan(0, Math.Min(value.Length, buffer.Length)).CopyTo(buffer.Span);
            return new(value.Length);
        }
    }

    /// <summary>Lists the names. Those of <c>trusted.</c> exist for root only (xattr(7)).</summary>
    public ValueTask<Result<int>> Listxattr(RequestContext context, NodeId node, Memory<byte> buffer)
    {
        if (Find(node) is not { } inode)
        {
            return new(Errno.ESTALE);
        }

        int length = 0;
        lock (inode.Gate)
        {
            for (int i = 0; i < (inode.Xattrs?.Count ?? 0); i++)
            {
                ReadOnlySpan<byte> name = inode.Xattrs![i].Name;
                if (!IsPrivileged(context) && name.StartsWith(TrustedPrefix))
                {
                    continue;
                }

                if (!buffer.IsEmpty)
                {
                    if (length + name.Length + 1 > buffer.Length)
                    {
                        return new(Errno.ERANGE);
                    }

                    name.CopyTo(buffer.Span[length..]);
                    buffer.Span[length + name.Length] = 0;
                }

                length += name.Length + 1;
            }
        }

        return new(length);
    }

    /// <inheritdoc/>
    public ValueTask<Errno> Removexattr(RequestContext context, NodeId node, ReadOnlyMemory<byte> name)
    {
        if (Find(node) is not { } inode)
        {
            return new(Errno.ESTALE);
        }

        Errno error = CheckName(inode, name.Span);
        if (error != Errnos.Ok)
        {
            return new(error);
        }

        lock (inode.Gate)
        {
            // Removing a list that is not there succeeds, as it does where the kernel keeps the lists (fs/posix_acl.c, set_posix_acl).
            if (!RemoveXattr(inode, name.Span) && !PosixAcl.IsName(name.Span))
            {
                return new(Errno.ENODATA);
            }

            inode.Ctime = Now;
            return new(Errnos.Ok);
        }
    }

    private static Errno CheckName(Inode inode, ReadOnlySpan<byte> name)
    {
        if (name.Length > XattrNameBytesMax)
        {
            return Errno.ERANGE;
        }

        if (PosixAcl.IsName(name))
        {
            return inode.Type == FilePermissions.S_IFLNK ? Errnos.NotSupported : Errnos.Ok;
        }

        int dot = name.IndexOf((byte)'.');
        ReadOnlySpan<byte> prefix = name[..(dot + 1)];
        if (!prefix.SequenceEqual("user."u8) && !prefix.SequenceEqual(TrustedPrefix) && !prefix.SequenceEqual("security."u8))
        {
            return Errnos.NotSupported;
        }

        return prefix.Length == name.Length ? Errno.EINVAL : Errnos.Ok;
    }

    /// <summary>Sets an access control list. Where it says no more than a mode can, the mode is all that is kept of it.</summary>
    private Errno SetAcl(Inode inode, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, bool clearSetGid)
    {
        bool isDefault = name.SequenceEqual(PosixAcl.DefaultName);
        if (PosixAcl.IsEmpty(value))
        {
            RemoveXattr(inode, name);
            return Errnos.Ok;
        }

        if (!PosixAcl.IsValid(value))
        {
            return Errno.EINVAL;
        }

        if (isDefault)
        {
            return inode.Directory is null ? Errno.EACCES : SetXattr(inode, name, value);
        }

        Errno error = Errnos.Ok;
        if (PosixAcl.IsMode(value))
        {
            RemoveXattr(inode, name);
        }
        else
        {
            error = SetXattr(inode, name, value);
        }

        if (error == Errnos.Ok)
        {
            inode.Mode = PosixAcl.Apply(value, inode.Mode) & (clearSetGid ? ~FilePermissions.S_ISGID : ~(FilePermissions)0);
        }

        return error;
    }

    /// <summary>Adds or replaces an attribute, if there is room. Call it under the inode's gate, as the two below.</summary>
    private Errno SetXattr(Inode inode, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        XattrList list = inode.Xattrs ?? new XattrList();
        long more = PagesOf(list.BytesWith(name, value.Length)) - PagesOf(list.Bytes);
        if (more > 0 && !_pool.Budget.TryCharge(more))
        {
            return Errno.ENOSPC;
        }

        _pool.Budget.Refund(Math.Max(0, -more));
        list.Set(name, value.ToArray());
        inode.Xattrs = list;
        inode.HasCapability |= name.SequenceEqual(CapabilityName);
        return Errnos.Ok;
    }

    private bool RemoveXattr(Inode inode, ReadOnlySpan<byte> name)
    {
        if (inode.Xattrs is not { } list)
        {
            return false;
        }

        long before = PagesOf(list.Bytes);
        bool removed = list.Remove(name);
        _pool.Budget.Refund(before - PagesOf(list.Bytes));
        inode.HasCapability &= !name.SequenceEqual(CapabilityName);
        return removed;
    }

    private void DropXattrs(Inode inode)
    {
        _pool.Budget.Refund(PagesOf(inode.Xattrs?.Bytes ?? 0));
        inode.Xattrs = null;
    }

    private static long PagesOf(long bytes) => (bytes + PagePool.PageBytes - 1) / PagePool.PageBytes;
}
