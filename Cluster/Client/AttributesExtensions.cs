using Harness.FuseProtocol.Wire;
using Mono.Unix.Native;
using Attributes = Harness.Cluster.Wire.Attributes;

namespace Harness.Cluster.Client;

/// <summary>Attributes as the kernel wants them.</summary>
internal static class AttributesExtensions
{
    private const long NanosecondsPerSecond = 1_000_000_000;
    private const uint PreferredBytes = 1 << 20;
    private const uint BasicStatsAndBtime = 0xFFF;

    /// <summary>As FUSE carries them.</summary>
    public static Attr ToAttr(this Attributes all) => new()
    {
        Ino = all.Inode,
        Size = all.Size,
        Blocks = all.Blocks,
        Atime = Seconds(all.Atime),
        Mtime = Seconds(all.Mtime),
        Ctime = Seconds(all.Ctime),
        Atimensec = Nanoseconds(all.Atime),
        Mtimensec = Nanoseconds(all.Mtime),
        Ctimensec = Nanoseconds(all.Ctime),
        Mode = all.Mode,
        Nlink = all.Nlink,
        Uid = all.Uid,
        Gid = all.Gid,
        Rdev = all.Rdev,
        Blksize = PreferredBytes,
    };

    /// <summary>As statx(2) wants them.</summary>
    public static Statx ToStatx(this Attributes all) => new()
    {
        Mask = BasicStatsAndBtime,
        Blksize = PreferredBytes,
        Nlink = all.Nlink,
        Uid = all.Uid,
        Gid = all.Gid,
        Mode = (ushort)all.Mode,
        Ino = all.Inode,
        Size = all.Size,
        Blocks = all.Blocks,
        Atime = ToSxTime(all.Atime),
        Btime = ToSxTime(all.Btime),
        Ctime = ToSxTime(all.Ctime),
        Mtime = ToSxTime(all.Mtime),
        RdevMajor = (all.Rdev >> 8) & 0xFFF,
        RdevMinor = (all.Rdev & 0xFF) | ((all.Rdev >> 12) & 0xFFF00),
    };

    /// <summary>Whether it is a directory.</summary>
    public static bool IsDirectory(this Attributes all) => ((FilePermissions)all.Mode & FilePermissions.S_IFMT) == FilePermissions.S_IFDIR;

    /// <summary>Whether it is a regular file.</summary>
    public static bool IsFile(this Attributes all) => ((FilePermissions)all.Mode & FilePermissions.S_IFMT) == FilePermissions.S_IFREG;

    /// <summary>A time of a message, in nanoseconds since 1970. Times that 64 bits of them cannot tell become the nearest that they can.</summary>
    public static long FromWire(ulong seconds, uint nanoseconds)
    {
        const long SecondsMax = (long.MaxValue / NanosecondsPerSecond) - 1;
        return (Math.Clamp((long)seconds, -SecondsMax, SecondsMax) * NanosecondsPerSecond) + Math.Min(nanoseconds, (uint)NanosecondsPerSecond - 1);
    }

    private static ulong Seconds(long time) => (ulong)Math.DivRem(time - Nanoseconds(time), NanosecondsPerSecond).Quotient;

    private static uint Nanoseconds(long time) => (uint)(((time % NanosecondsPerSecond) + NanosecondsPerSecond) % NanosecondsPerSecond);

    private static SxTime ToSxTime(long time) => new() { TvSec = (long)Seconds(time), TvNsec = Nanoseconds(time) };
}
