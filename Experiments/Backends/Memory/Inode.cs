using System.Collections.Immutable;
using Harness.FuseProtocol.Posix;
using Harness.FuseProtocol.Wire;
using Mono.Unix.Native;

namespace Harness.Experiments.Backends.Memory;

/// <summary>
/// A file of any kind. Its mode says which: a regular file has <see cref="Content"/>, a directory <see cref="Directory"/>, a symbolic link
/// <see cref="Target"/>; devices, pipes and sockets have only attributes.
/// </summary>
/// <remarks>Attributes, lookup count and extended attributes are guarded by <see cref="Gate"/>; the parts guard themselves.</remarks>
internal sealed class Inode
{
    private const uint StatxBasicStatsAndBtime = 0xFFF;
    private const uint DirectoryBytes = 4096;
    private const uint BlockBytes = 512;
    private const uint PageBlocks = PagePool.PageBytes / BlockBytes;
    private const FilePermissions SetIds = FilePermissions.S_ISUID | FilePermissions.S_ISGID;

    /// <summary>A file that has no name yet.</summary>
    public Inode(ulong id, FilePermissions mode, Timestamp now)
    {
        Id = id;
        Mode = mode;
        (Atime, Mtime, Ctime, Btime) = (now, now, now, now);
    }

    /// <summary>Node id and inode number; never used for another file.</summary>
    public ulong Id { get; }

    /// <summary>Guards what has no lock of its own.</summary>
    public Lock Gate { get; } = new();

    /// <summary>The bytes, of a regular file.</summary>
    public FileContent? Content { get; init; }

    /// <summary>The names, of a directory.</summary>
    public DirectoryIndex? Directory { get; set; }

    /// <summary>Where it points, of a symbolic link.</summary>
    public ImmutableArray<byte> Target { get; init; } = [];

    /// <summary>Device number, in the kernel's 32-bit encoding.</summary>
    public uint Rdev { get; init; }

    /// <summary>File type, set-id and sticky bits, permissions.</summary>
    public FilePermissions Mode { get; set; }

    /// <summary>Names; for a directory, 2 and one for each directory in it; 0 once removed.</summary>
    public uint Nlink { get; set; }

    /// <summary>Owner.</summary>
    public uint Uid { get; set; }

    /// <summary>Group.</summary>
    public uint Gid { get; set; }

    /// <summary>Last access.</summary>
    public Timestamp Atime { get; set; }

    /// <summary>Last change of the data.</summary>
    public Timestamp Mtime { get; set; }

    /// <summary>Last change of data or attributes.</summary>
    public Timestamp Ctime { get; set; }

    /// <summary>Creation.</summary>
    public Timestamp Btime { get; }

    /// <summary>Lookups that the kernel has not given back.</summary>
    public ulong Lookups { get; set; }

    /// <summary>Whether a name may be given to it although it has none (O_TMPFILE without O_EXCL).</summary>
    public bool IsLinkable { get; set; }

    /// <summary>Whether it is gone for good: no name, and no lookup.</summary>
    public bool IsDropped { get; set; }

    /// <summary>Extended attributes; null while there are none.</summary>
    public XattrList? Xattrs { get; set; }

    /// <summary>Whether there is a <c>security.capability</c> to clear on change.</summary>
    public bool HasCapability { get; set; }

    /// <summary>Locks that were ever taken; guarded by <see cref="FileLocks"/>.</summary>
    public LockTable? Locks { get; set; }

    /// <summary>The file type's bits of the mode.</summary>
    public FilePermissions Type => Mode & FilePermissions.S_IFMT;

    /// <summary>The attributes as a message carries them. Call it under <see cref="Gate"/>.</summary>
    public Attr ToAttr() => new()
    {
        Ino = Id,
        Size = Size,
        Blocks = Blocks,
        Atime = (ulong)Atime.Seconds,
        Mtime = (ulong)Mtime.Seconds,
        Ctime = (ulong)Ctime.Seconds,
        Atimensec = Atime.Nanoseconds,
        Mtimensec = Mtime.Nanoseconds,
        Ctimensec = Ctime.Nanoseconds,
        Mode = (uint)Mode,
        Nlink = Nlink,
        Uid = Uid,
        Gid = Gid,
        Rdev = Rdev,
        Blksize = PagePool.PageBytes,
    };

    /// <summary>The attributes as statx(2) wants them. Call it under <see cref="Gate"/>.</summary>
    public Statx ToStatx() => new()
    {
        Mask = StatxBasicStatsAndBtime,
        Blksize = PagePool.PageBytes,
        Nlink = Nlink,
        Uid = Uid,
        Gid = Gid,
        Mode = (ushort)Mode,
        Ino = Id,
        Size = Size,
        Blocks = Blocks,
        Atime = ToSxTime(Atime),
        Btime = ToSxTime(Btime),
        Ctime = ToSxTime(Ctime),
        Mtime = ToSxTime(Mtime),
        RdevMajor = (Rdev >> 8) & 0xFFF,
        RdevMinor = (Rdev & 0xFF) | ((Rdev >> 12) & 0xFFF00),
    };

    /// <summary>The data, or the names, have changed. Call it under <see cref="Gate"/>.</summary>
    public void Modified(Timestamp now)
    {
        Mtime = now;
        Ctime = now;
    }

    /// <summary>
    /// Clears what lets a program run with rights of its file's owner or group. Set-group-id without execute permission, which once meant
    /// mandatory locking, stays for members of the group (fs/attr.c, <c>setattr_should_drop_sgid</c>). Call it under <see cref="Gate"/>.
    /// </summary>
    public void ClearSetIds(bool byMember) =>
        Mode &= byMember && (Mode & FilePermissions.S_IXGRP) == 0 ? ~FilePermissions.S_ISUID : ~SetIds;

    private ulong Size => this switch
    {
        { Content: { } content } => (ulong)content.Size,
        { Directory: not null } => DirectoryBytes,
        _ => (ulong)Target.Length,
    };

    private ulong Blocks => (ulong)(Content?.Pages ?? 0) * PageBlocks;

    private static SxTime ToSxTime(Timestamp time) => new() { TvSec = time.Seconds, TvNsec = time.Nanoseconds };
}
