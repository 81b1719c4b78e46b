using Harness.Cluster.Wire;
using Mono.Unix.Native;

namespace Harness.Cluster.Metadata;

/// <summary>What is special about an inode, in one byte.</summary>
[Flags]
internal enum InodeTraits : byte
{
    None = 0,

    /// <summary>It has no name and may get one (O_TMPFILE without O_EXCL).</summary>
    Linkable = 1,

    /// <summary>It has extended attributes.</summary>
    Xattrs = 2,

    /// <summary>One of them is <c>security.capability</c>, which a change of the data clears.</summary>
    Capability = 4,
}

/// <summary>A file of any kind: 96 bytes in a page of an <see cref="InodeTable"/>, and its body, if it has one.</summary>
internal struct Inode
{
    private const FilePermissions SetIds = FilePermissions.S_ISUID | FilePermissions.S_ISGID;
    private const int BlockShift = 9;
    private const ulong PageBytes = 4096;

    /// <summary>The inode number, never given to another file; 0 where there is none.</summary>
    public ulong Number;

    /// <summary>The directory above, of a directory; the root is its own.</summary>
    public ulong Parent;

    /// <summary>Bytes, of a regular file.</summary>
    public ulong Size;

    /// <summary>Times, in nanoseconds since 1970.</summary>
    public long Atime, Mtime, Ctime, Btime;

    /// <summary>A <see cref="DirectoryTable"/>, a <see cref="ChunkList"/> or null, or the target of a symbolic link as bytes.</summary>
    public object? Body;

    /// <summary>File type, set-id and sticky bits, permissions.</summary>
    public FilePermissions Mode;

    /// <summary>Names; for a directory, 2 and one for each directory in it; 0 once removed.</summary>
    public uint Nlink;

    /// <summary>Owner.</summary>
    public uint Uid;

    /// <summary>Group.</summary>
    public uint Gid;

    /// <summary>Device number, in the kernel's 32-bit encoding.</summary>
    public uint Rdev;

    /// <summary>What is special about it.</summary>
    public InodeTraits Traits;

    /// <summary>Whether there is such an inode.</summary>
    public readonly bool Exists => Number != 0;

    /// <summary>The file type's bits of the mode.</summary>
    public readonly FilePermissions Type => Mode & FilePermissions.S_IFMT;

    /// <summary>Whether it is a directory.</summary>
    public readonly bool IsDirectory => Type == FilePermissions.S_IFDIR;

    /// <summary>Whether it is a regular file.</summary>
    public readonly bool IsFile => Type == FilePermissions.S_IFREG;

    /// <summary>The names in it, of a directory.</summary>
    public readonly DirectoryTable Names => (DirectoryTable)Body!;

    /// <summary>The chunks of a regular file; null while it has none.</summary>
    public readonly ChunkList? Chunks => Body as ChunkList;

    /// <summary>Data or names have changed.</summary>
    public void Modified(long now) => (Mtime, Ctime) = (now, now);

    /// <summary>
    /// Clears what lets a program run with rights of its file's owner or group. Set-group-id without execute permission, which once meant
    /// mandatory locking, stays for members of the group (fs/attr.c, <c>setattr_should_drop_sgid</c>).
    /// </summary>
    public void ClearSetIds(bool byMember) =>
        Mode &= byMember && (Mode & FilePermissions.S_IXGRP) == 0 ? ~FilePermissions.S_ISUID : ~SetIds;

    /// <summary>The attributes as messages carry them.</summary>
    /// <param name="chunkBytes">The size of a chunk. A chunk that exists counts as full up to the file's end.</param>
    public readonly Attributes ToAttributes(ulong chunkBytes) => new()
    {
        Inode = Number,
        Size = Body switch
        {
            byte[] target => (ulong)target.Length,
            DirectoryTable => DirectoryTable.ShownBytes,
            _ => Size,
        },
        Blocks = ((Chunks?.Bytes(Size, chunkBytes) ?? 0) + PageBytes - 1) / PageBytes * (PageBytes >> BlockShift),
        Atime = Atime,
        Mtime = Mtime,
        Ctime = Ctime,
        Btime = Btime,
        Mode = (uint)Mode,
        Nlink = Nlink,
        Uid = Uid,
        Gid = Gid,
        Rdev = Rdev,
        Xattrs = (Traits & InodeTraits.Xattrs) != 0,
    };
}
