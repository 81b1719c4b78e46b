using System.Runtime.InteropServices;

namespace Harness.Runtime.Native;

/// <summary>Flags of open(2) and of the <c>*at</c> calls, in this machine's numbers, which are those that FUSE messages carry.</summary>
/// <remarks>Sources: include/uapi/asm-generic/fcntl.h, arch/arm64/include/uapi/asm/fcntl.h, include/uapi/linux/fcntl.h.</remarks>
internal static class FileFlags
{
    public const int AccessMode = 3;
    public const int ReadOnly = 0;
    public const int WriteOnly = 1;
    public const int ReadWrite = 2;
    public const int Create = 0x40;
    public const int Exclusive = 0x80;
    public const int Truncate = 0x200;
    public const int Append = 0x400;
    public const int NonBlock = 0x800;
    public const int DataSync = 0x1000;
    public const int NoAtime = 0x40000;
    public const int CloseOnExec = 0x80000;
    public const int Sync = 0x101000;
    public const int Path = 0x200000;

    /// <summary>fcntl(2): the flags that a file is open with.</summary>
    public const int FGetfl = 3;

    public const int AtFdcwd = -100;
    public const int AtSymlinkNofollow = 0x100;
    public const int AtRemovedir = 0x200;
    public const int AtSymlinkFollow = 0x400;
    public const int AtEmptyPath = 0x1000;

    /// <summary>Times of utimensat(2) that stand for "now" and "leave it" in the place of nanoseconds.</summary>
    public const long UtimeNow = 0x3FFFFFFF;
    public const long UtimeOmit = 0x3FFFFFFE;

    private static readonly bool s_isArm = RuntimeInformation.ProcessArchitecture is Architecture.Arm64 or Architecture.Arm;

    public static int Direct => s_isArm ? 0x10000 : 0x4000;

    public static int Directory => s_isArm ? 0x4000 : 0x10000;

    public static int NoFollow => s_isArm ? 0x8000 : 0x20000;

    /// <summary>O_TMPFILE, which contains <see cref="Directory"/>.</summary>
    public static int Temporary => 0x400000 | Directory;
}
