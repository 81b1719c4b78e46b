using System.Buffers;
using Google.Protobuf;
using Harness.Cluster.Wire;
using Harness.FuseProtocol;
using Harness.FuseProtocol.Posix;
using Harness.FuseProtocol.Wire;
using Mono.Unix.Native;

namespace Harness.Cluster.Metadata;

/// <content>What changes nothing.</content>
internal sealed partial class MetadataState
{
    /// <summary>The inode that a name stands for; 0 if there is none. <c>.</c> and <c>..</c> are found too.</summary>
    /// <returns>ESTALE, ENOTDIR or ENAMETOOLONG where there can be none.</returns>
    public Errno LookUp(ulong parent, ReadOnlySpan<byte> name, out ulong found)
    {
        ref Inode directory = ref _inodes.Find(parent);
        found = name.SequenceEqual("."u8) ? directory.Number : 0;
        if (!directory.Exists || found != 0)
        {
            return directory.Exists ? Errnos.Ok : Errno.ESTALE;
        }

        if (!directory.IsDirectory)
        {
            return Errno.ENOTDIR;
        }

        found = name.SequenceEqual(".."u8) ? directory.Parent : directory.Names.Find(name);
        return found == 0 && name.Length > MetadataLimits.NameBytesMax ? Errno.ENAMETOOLONG : Errnos.Ok;
    }

    /// <summary>Whether an inode is a directory without names.</summary>
    public bool IsEmptyDirectory(ulong number)
    {
        ref Inode inode = ref _inodes.Find(number);
        return inode.Exists && inode.IsDirectory && inode.Names.Count == 0;
    }

    /// <summary>An inode's attributes; null if it is not there.</summary>
    public Attributes? AttributesOf(ulong number)
    {
        ref Inode inode = ref _inodes.Find(number);
        return inode.Exists ? inode.ToAttributes(Limits.ChunkBytes) : null;
    }

    /// <summary>The value of an extended attribute.</summary>
    public Errno GetXattr(ulong number, ReadOnlySpan<byte> name, out ByteString value)
    {
        ref Inode inode = ref _inodes.Find(number);
        Errno error = inode.Exists ? CheckXattrName(inode.Type, name) : Errno.ESTALE;
        byte[]? found = error == Errnos.Ok ? FindXattr(number, name) : null;
        value = found is null ? ByteString.Empty : ByteString.CopyFrom(found);
        return error != Errnos.Ok ? error : found is null ? Errno.ENODATA : Errnos.Ok;
    }

    /// <summary>The names of extended attributes, each ended by NUL.</summary>
    public Errno ListXattrs(ulong number, out ByteString names)
    {
        var all = new ArrayBufferWriter<byte>();
        if (_xattrs.TryGetValue(number, out SortedList<byte[], byte[]>? list))
        {
            foreach (byte[] name in list.Keys)
            {
                all.Write<byte>(name);
                all.Write<byte>([0]);
            }
        }

        names = ByteString.CopyFrom(all.WrittenSpan);
        return _inodes.Find(number).Exists ? Errnos.Ok : Errno.ESTALE;
    }

    /// <summary>Where a symbolic link points.</summary>
    public Errno ReadLink(ulong number, out ByteString target)
    {
        ref Inode inode = ref _inodes.Find(number);
        target = ByteString.Empty;
        if (inode.Body is not byte[] bytes)
        {
            return inode.Exists ? Errno.EINVAL : Errno.ESTALE;
        }

        target = ByteString.CopyFrom(bytes);
        return Errnos.Ok;
    }

    /// <summary>Where the chunks of a file with indexes in a range lie.</summary>
    public Errno Locate(ulong number, ulong first, ulong last, ICollection<ChunkLocation> chunks)
    {
        ref Inode inode = ref _inodes.Find(number);
        if (!inode.Exists || !inode.IsFile)
        {
            return !inode.Exists ? Errno.ESTALE : inode.IsDirectory ? Errno.EISDIR : Errno.EINVAL;
        }

        if (inode.Chunks is { } list && first <= last)
        {
            foreach (ChunkSlot slot in list.Range(first, last))
            {
                chunks.Add(LocationOf(slot.Chunk));
            }
        }

        return Errnos.Ok;
    }

    /// <summary>The first lock that stands in the way of one that is wanted; F_UNLCK if none does.</summary>
    public Errno TestLock(ulong session, SetLock wanted, out LockRange answer)
    {
        answer = wanted.Range?.Clone() ?? new LockRange();
        if (!_inodes.Find(wanted.Inode).Exists)
        {
            return Errno.ESTALE;
        }

        if (wanted.Range is null || wanted.Range.Type > (uint)LockType.F_UNLCK || wanted.Range.Start > wanted.Range.End)
        {
            return Errno.EINVAL;
        }

        HeldLock? blocker = LocksOf(wanted.Inode)?.Of(wanted.Flock ? LkFlags.Flock : LkFlags.None).FirstBlocker(ToHeld(session, wanted));
        (answer.Type, answer.Pid) = ((uint)LockType.F_UNLCK, 0);
        if (blocker is { } held)
        {
            answer = new LockRange { Start = held.Start, End = held.End, Type = (uint)held.Type, Pid = held.Pid };
        }

        return Errnos.Ok;
    }

    /// <summary>Names of a directory behind a cookie, in order.</summary>
    /// <param name="list">Which, and how many.</param>
    /// <param name="names">Where they go, without attributes.</param>
    /// <param name="end">The cookie before which this listing ends.</param>
    public Errno List(ListNames list, ICollection<ListedName> names, out ulong end)
    {
        ref Inode directory = ref _inodes.Find(list.Directory);
        end = 0;
        if (!directory.Exists || !directory.IsDirectory)
        {
            return directory.Exists ? Errno.ENOTDIR : Errno.ESTALE;
        }

        DirectoryTable table = directory.Names;
        end = list.End == 0 ? table.NextCookie : list.End;
        ReadOnlySpan<NameEntry> entries = table.Entries;
        for (int i = table.IndexBehind(list.Cookie); i < entries.Length && entries[i].Cookie < end && names.Count < list.Count; i++)
        {
            ref readonly NameEntry entry = ref entries[i];
            if (entry.Inode != 0)
            {
                names.Add(new ListedName
                {
                    Name = ByteString.CopyFrom(table.NameOf(in entry)),
                    Inode = entry.Inode,
                    Cookie = entry.Cookie,
                    Type = (uint)_inodes.Find(entry.Inode).Type,
                });
            }
        }

        return Errnos.Ok;
    }

    /// <summary>The directory above a directory; the root's is the root.</summary>
    public ulong ParentOf(ulong directory) => _inodes.Find(directory).Parent;

    /// <summary>Whether an inode is a directory.</summary>
    public bool IsDirectory(ulong inode) => _inodes.Find(inode).IsDirectory;

    /// <summary>How many names an inode has.</summary>
    public uint NlinkOf(ulong inode) => _inodes.Find(inode).Nlink;
}
