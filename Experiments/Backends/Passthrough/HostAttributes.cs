using Harness.FuseProtocol.Wire;
using Harness.Runtime.Native;

namespace Harness.Experiments.Backends.Passthrough;

/// <summary>A file's attributes as FUSE carries them, from how the host tells them.</summary>
internal static class HostAttributes
{
    /// <summary>For LOOKUP, GETATTR and their like.</summary>
    public static Attr ToAttr(in FileStatus status, ulong ino) => new()
    {
        Ino = ino,
        Size = status.Size,
        Blocks = status.Blocks,
        Atime = (ulong)status.Atime.Seconds,
        Mtime = (ulong)status.Mtime.Seconds,
        Ctime = (ulong)status.Ctime.Seconds,
        Atimensec = status.Atime.Nanoseconds,
        Mtimensec = status.Mtime.Nanoseconds,
        Ctimensec = status.Ctime.Nanoseconds,
        Mode = status.Mode,
        Nlink = status.Nlink,
        Uid = status.Uid,
        Gid = status.Gid,
        Rdev = Encode(status.RdevMajor, status.RdevMinor),
        Blksize = status.Blksize,
    };

    /// <summary>For STATX.</summary>
    public static Statx ToStatx(in FileStatus status, ulong ino) => new()
    {
        Mask = status.Mask,
        Blksize = status.Blksize,
        Attributes = status.Attributes,
        Nlink = status.Nlink,
        Uid = status.Uid,
        Gid = status.Gid,
        Mode = status.Mode,
        Ino = ino,
        Size = status.Size,
        Blocks = status.Blocks,
        AttributesMask = status.AttributesMask,
        Atime = ToTime(in status.Atime),
        Btime = ToTime(in status.Btime),
        Ctime = ToTime(in status.Ctime),
        Mtime = ToTime(in status.Mtime),
        RdevMajor = status.RdevMajor,
        RdevMinor = status.RdevMinor,
    };

    private static SxTime ToTime(in FileTime time) => new() { TvSec = time.Seconds, TvNsec = time.Nanoseconds };

    // The kernel's 32 bits: 12 of the major number between two parts of the minor one (include/linux/kdev_t.h, new_encode_dev).
    private static uint Encode(uint major, uint minor) => (minor & 0xFF) | (major << 8) | ((minor & ~0xFFu) << 12);
}
