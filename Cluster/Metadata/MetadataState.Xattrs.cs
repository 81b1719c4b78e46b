using Harness.Cluster.Wire;
using Harness.FuseProtocol;
using Harness.FuseProtocol.Posix;
using Mono.Unix.Native;

namespace Harness.Cluster.Metadata;

/// <content>Extended attributes: those of xattr(7)'s four namespaces, of <c>system.</c> only the access control lists.</content>
internal sealed partial class MetadataState
{
    private readonly Dictionary<ulong, SortedList<byte[], byte[]>> _xattrs = [];

    private static ReadOnlySpan<byte> CapabilityName => "security.capability"u8;

    /// <summary>Whether an attribute may have this name on this kind of inode.</summary>
    public static Errno CheckXattrName(FilePermissions type, ReadOnlySpan<byte> name)
    {
        if (name.Length > MetadataLimits.XattrNameBytesMax)
        {
            return Errno.ERANGE;
        }

        if (PosixAcl.IsName(name))
        {
            return type == FilePermissions.S_IFLNK ? Errnos.NotSupported : Errnos.Ok;
        }

        int dot = name.IndexOf((byte)'.');
        ReadOnlySpan<byte> prefix = name[..(dot + 1)];
        if (!prefix.SequenceEqual("user."u8) && !prefix.SequenceEqual("trusted."u8) && !prefix.SequenceEqual("security."u8))
        {
            return Errnos.NotSupported;
        }

        return prefix.Length == name.Length ? Errno.EINVAL : Errnos.Ok;
    }

    private Outcome SetXattr(SetXattr set)
    {
        ref Inode inode = ref _inodes.Find(set.Inode);
        if (!inode.Exists)
        {
            return Failed(Errno.ESTALE);
        }

        Errno error = CheckXattrName(inode.Type, set.Name.Span);
        if (error != Errnos.Ok || set.Value.Length > MetadataLimits.XattrValueBytesMax)
        {
            return Failed(error != Errnos.Ok ? error : Errno.E2BIG);
        }

        bool exists = FindXattr(set.Inode, set.Name.Span) is not null;
        error = (XattrFlags)set.Flags switch
        {
            XattrFlags.XATTR_AUTO => Errnos.Ok,
            XattrFlags.XATTR_CREATE => exists ? Errno.EEXIST : Errnos.Ok,
            XattrFlags.XATTR_REPLACE => exists ? Errnos.Ok : Errno.ENODATA,
            _ => Errno.EINVAL,
        };
        if (error == Errnos.Ok)
        {
            error = PosixAcl.IsName(set.Name.Span)
                ? SetAcl(ref inode, set.Name.Span, set.Value.ToByteArray(), set.ClearSetGid)
                : PutXattr(ref inode, set.Name.Span, set.Value.ToByteArray());
        }

        if (error != Errnos.Ok)
        {
            return Failed(error);
        }

        inode.Ctime = Now;
        return Done(in inode);
    }

    private Outcome RemoveXattr(RemoveXattr remove)
    {
        ref Inode inode = ref _inodes.Find(remove.Inode);
        Errno error = inode.Exists ? CheckXattrName(inode.Type, remove.Name.Span) : Errno.ESTALE;
        if (error != Errnos.Ok)
        {
            return Failed(error);
        }

        // Removing a list that is not there succeeds, as it does where the kernel keeps the lists (fs/posix_acl.c, set_posix_acl).
        if (!TakeXattr(ref inode, remove.Name.Span) && !PosixAcl.IsName(remove.Name.Span))
        {
            return Failed(Errno.ENODATA);
        }

        inode.Ctime = Now;
        return Done(in inode);
    }

    /// <summary>Sets an access control list. Where it says no more than a mode can, the mode is all that is kept of it.</summary>
    private Errno SetAcl(ref Inode inode, ReadOnlySpan<byte> name, byte[] value, bool clearSetGid)
    {
        if (PosixAcl.IsEmpty(value))
        {
            TakeXattr(ref inode, name);
            return Errnos.Ok;
        }

        if (!PosixAcl.IsValid(value))
        {
            return Errno.EINVAL;
        }

        if (name.SequenceEqual(PosixAcl.DefaultName))
        {
            return inode.IsDirectory ? PutXattr(ref inode, name, value) : Errno.EACCES;
        }

        Errno error = Errnos.Ok;
        if (PosixAcl.IsMode(value))
        {
            TakeXattr(ref inode, name);
        }
        else
        {
            error = PutXattr(ref inode, name, value);
        }

        if (error == Errnos.Ok)
        {
            inode.Mode = PosixAcl.Apply(value, inode.Mode) & (clearSetGid ? ~FilePermissions.S_ISGID : ~(FilePermissions)0);
        }

        return error;
    }

    private byte[]? FindXattr(ulong inode, ReadOnlySpan<byte> name) =>
        _xattrs.TryGetValue(inode, out SortedList<byte[], byte[]>? list) ? list.GetValueOrDefault(name.ToArray()) : null;

    private Errno PutXattr(ref Inode inode, ReadOnlySpan<byte> name, byte[] value)
    {
        if (!_xattrs.TryGetValue(inode.Number, out SortedList<byte[], byte[]>? list))
        {
            _xattrs.Add(inode.Number, list = new SortedList<byte[], byte[]>(BytesComparer.Instance));
        }

        byte[] key = name.ToArray();
        long others = list.Where(one => !one.Key.AsSpan().SequenceEqual(key)).Sum(static one => (long)one.Key.Length + one.Value.Length);
        if (others + key.Length + value.Length > MetadataLimits.XattrBytesMax)
        {
            return Errno.ENOSPC;
        }

        list[key] = value;
        inode.Traits |= InodeTraits.Xattrs | (name.SequenceEqual(CapabilityName) ? InodeTraits.Capability : InodeTraits.None);
        return Errnos.Ok;
    }

    private bool TakeXattr(ref Inode inode, ReadOnlySpan<byte> name)
    {
        if (!_xattrs.TryGetValue(inode.Number, out SortedList<byte[], byte[]>? list) || !list.Remove(name.ToArray()))
        {
            return false;
        }

        inode.Traits &= name.SequenceEqual(CapabilityName) ? ~InodeTraits.Capability : ~InodeTraits.None;
        if (list.Count == 0)
        {
            _xattrs.Remove(inode.Number);
            inode.Traits &= ~InodeTraits.Xattrs;
        }

        return true;
    }

    /// <summary>Orders names as the bytes they are.</summary>
    private sealed class BytesComparer : IComparer<byte[]>
    {
        public static BytesComparer Instance { get; } = new();

        public int Compare(byte[]? x, byte[]? y) => x.AsSpan().SequenceCompareTo(y);
    }
}
