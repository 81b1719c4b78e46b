namespace Harness.Experiments.Fuzz;

/// <summary>Messages that are about a node.</summary>
internal static partial class GoldenMessages
{
    /// <summary>GETATTR.</summary>
    public static GoldenMessage Getattr { get; } = GoldenMessage.Parse(
        nameof(Getattr),
        """
        38000000 03000000 3000000000000000 1100000000000000  # len 56, GETATTR, unique 48, nodeid 17
        e8030000 e9030000 d2040000 0000 0000  # uid 1000, gid 1001, pid 1234, total_extlen 0, padding
        01000000 00000000 2100000000000000  # getattr_flags FH, dummy, fh 33
        """,
        """
        78000000 00000000 3000000000000000  # len 120, error 0, unique 48
        0200000000000000 58020000 00000000  # attr_valid 2, attr_valid_nsec 600, dummy
        1100000000000000 0020000000000000 1000000000000000  # ino 17, size 8192, blocks 16
        01ca9a3b00000000 02ca9a3b00000000 03ca9a3b00000000  # atime, mtime, ctime
        65000000 66000000 67000000 a4810000 02000000  # atimensec 101, mtimensec 102, ctimensec 103, mode 0100644, nlink 2
        e8030000 e9030000 00000000 00100000 00000000  # uid 1000, gid 1001, rdev 0, blksize 4096, flags 0
        """);

    /// <summary>SETATTR.</summary>
    public static GoldenMessage Setattr { get; } = GoldenMessage.Parse(
        nameof(Setattr),
        """
        80000000 04000000 3200000000000000 1100000000000000  # len 128, SETATTR, unique 50, nodeid 17
        e8030000 e9030000 d2040000 0000 0000  # uid 1000, gid 1001, pid 1234, total_extlen 0, padding
        49000000 00000000 2100000000000000 0030000000000000  # valid MODE|SIZE|FH, padding, fh 33, size 12288
        4d00000000000000 0100000000000000 0200000000000000 0300000000000000  # lock_owner 77, atime 1, mtime 2, ctime 3
        04000000 05000000 06000000 80810000  # atimensec 4, mtimensec 5, ctimensec 6, mode 0100600
        00000000 07000000 08000000 00000000  # unused4, uid 7, gid 8, unused5
        """,
        """
        78000000 00000000 3200000000000000  # len 120, error 0, unique 50
        0200000000000000 58020000 00000000  # attr_valid 2, attr_valid_nsec 600, dummy
        1100000000000000 0020000000000000 1000000000000000  # ino 17, size 8192, blocks 16
        01ca9a3b00000000 02ca9a3b00000000 03ca9a3b00000000  # atime, mtime, ctime
        65000000 66000000 67000000 a4810000 02000000  # atimensec 101, mtimensec 102, ctimensec 103, mode 0100644, nlink 2
        e8030000 e9030000 00000000 00100000 00000000  # uid 1000, gid 1001, rdev 0, blksize 4096, flags 0
        """);

    /// <summary>READLINK.</summary>
    public static GoldenMessage Readlink { get; } = GoldenMessage.Parse(
        nameof(Readlink),
        """
        28000000 05000000 3400000000000000 1100000000000000  # len 40, READLINK, unique 52, nodeid 17
        e8030000 e9030000 d2040000 0000 0000  # uid 1000, gid 1001, pid 1234, total_extlen 0, padding
        """,
        """
        18000000 00000000 3400000000000000  # len 24, error 0, unique 52
        612f746172676574  # target
        """);

    /// <summary>ACCESS.</summary>
    public static GoldenMessage Access { get; } = GoldenMessage.Parse(
        nameof(Access),
        """
        30000000 22000000 3600000000000000 1100000000000000  # len 48, ACCESS, unique 54, nodeid 17
        e8030000 e9030000 d2040000 0000 0000  # uid 1000, gid 1001, pid 1234, total_extlen 0, padding
        04000000 00000000  # mask R_OK, padding
        """,
        """
        10000000 00000000 3600000000000000  # len 16, error 0, unique 54
        """);

    /// <summary>STATX.</summary>
    public static GoldenMessage Statx { get; } = GoldenMessage.Parse(
        nameof(Statx),
        """
        40000000 34000000 3800000000000000 1100000000000000  # len 64, STATX, unique 56, nodeid 17
        e8030000 e9030000 d2040000 0000 0000  # uid 1000, gid 1001, pid 1234, total_extlen 0, padding
        00000000 00000000 0000000000000000  # getattr_flags 0, reserved, fh 0
        00200000 ff0f0000  # sx_flags AT_STATX_FORCE_SYNC, sx_mask STATX_BASIC_STATS|STATX_BTIME
        """,
        """
        30010000 00000000 3800000000000000  # len 304, error 0, unique 56
        0200000000000000 58020000 00000000 00000000000000000000000000000000  # attr_valid 2, attr_valid_nsec 600, flags 0, spare
        ff0f0000 00100000 1000000000000000 02000000 e8030000  # mask, blksize 4096, attributes IMMUTABLE, nlink 2, uid 1000
        e9030000  # gid 1001
        a481 0000 1100000000000000 0020000000000000 1000000000000000  # mode 0100644, spare0, ino 17, size 8192, blocks 16
        3000000000000000  # attributes_mask
        01ca9a3b00000000 65000000 00000000  # atime , atime nsec 101, reserved
        04ca9a3b00000000 68000000 00000000  # btime , btime nsec 104, reserved
        03ca9a3b00000000 67000000 00000000  # ctime , ctime nsec 103, reserved
        02ca9a3b00000000 66000000 00000000  # mtime , mtime nsec 102, reserved
        01000000 02000000 03000000 04000000  # rdev_major 1, rdev_minor 2, dev_major 3, dev_minor 4
        0000000000000000000000000000000000000000000000000000000000000000  # spare2
        0000000000000000000000000000000000000000000000000000000000000000  # more
        0000000000000000000000000000000000000000000000000000000000000000 00000000000000000000000000000000  # more, more
        """);

    /// <summary>SETXATTR where SETXATTR_EXT was not agreed.</summary>
    public static GoldenMessage Setxattr { get; } = GoldenMessage.Parse(
        nameof(Setxattr),
        """
        3e000000 15000000 3a00000000000000 1100000000000000  # len 62, SETXATTR, unique 58, nodeid 17
        e8030000 e9030000 d2040000 0000 0000  # uid 1000, gid 1001, pid 1234, total_extlen 0, padding
        05000000 01000000  # size 5, flags XATTR_CREATE
        757365722e612f6200 76616c7565  # name, value
        """,
        """
        10000000 00000000 3a00000000000000  # len 16, error 0, unique 58
        """);

    /// <summary>SETXATTR where SETXATTR_EXT was agreed.</summary>
    public static GoldenMessage SetxattrExtended { get; } = GoldenMessage.Parse(
        nameof(SetxattrExtended),
        """
        46000000 15000000 3c00000000000000 1100000000000000  # len 70, SETXATTR, unique 60, nodeid 17
        e8030000 e9030000 d2040000 0000 0000  # uid 1000, gid 1001, pid 1234, total_extlen 0, padding
        05000000 02000000 01000000 00000000  # size 5, flags XATTR_REPLACE, setxattr_flags ACL_KILL_SGID, padding
        757365722e612f6200 76616c7565  # name, value
        """,
        """
        10000000 00000000 3c00000000000000  # len 16, error 0, unique 60
        """);

    /// <summary>GETXATTR.</summary>
    public static GoldenMessage Getxattr { get; } = GoldenMessage.Parse(
        nameof(Getxattr),
        """
        39000000 16000000 3e00000000000000 1100000000000000  # len 57, GETXATTR, unique 62, nodeid 17
        e8030000 e9030000 d2040000 0000 0000  # uid 1000, gid 1001, pid 1234, total_extlen 0, padding
        40000000 00000000  # size 64, padding
        757365722e612f6200  # name
        """,
        """
        15000000 00000000 3e00000000000000  # len 21, error 0, unique 62
        76616c7565  # value
        """);

    /// <summary>Asks only how long a value is.</summary>
    public static GoldenMessage GetxattrSize { get; } = GoldenMessage.Parse(
        nameof(GetxattrSize),
        """
        39000000 16000000 4000000000000000 1100000000000000  # len 57, GETXATTR, unique 64, nodeid 17
        e8030000 e9030000 d2040000 0000 0000  # uid 1000, gid 1001, pid 1234, total_extlen 0, padding
        00000000 00000000  # size 0, padding
        757365722e612f6200  # name
        """,
        """
        18000000 00000000 4000000000000000  # len 24, error 0, unique 64
        05000000 00000000  # size 5, padding
        """);

    /// <summary>LISTXATTR.</summary>
    public static GoldenMessage Listxattr { get; } = GoldenMessage.Parse(
        nameof(Listxattr),
        """
        30000000 17000000 4200000000000000 1100000000000000  # len 48, LISTXATTR, unique 66, nodeid 17
        e8030000 e9030000 d2040000 0000 0000  # uid 1000, gid 1001, pid 1234, total_extlen 0, padding
        40000000 00000000  # size 64, padding
        """,
        """
        19000000 00000000 4200000000000000  # len 25, error 0, unique 66
        757365722e612f6200  # a name
        """);

    /// <summary>Asks only how long the list is.</summary>
    public static GoldenMessage ListxattrSize { get; } = GoldenMessage.Parse(
        nameof(ListxattrSize),
        """
        30000000 17000000 4400000000000000 1100000000000000  # len 48, LISTXATTR, unique 68, nodeid 17
        e8030000 e9030000 d2040000 0000 0000  # uid 1000, gid 1001, pid 1234, total_extlen 0, padding
        00000000 00000000  # size 0, padding
        """,
        """
        18000000 00000000 4400000000000000  # len 24, error 0, unique 68
        09000000 00000000  # size 9, padding
        """);

    /// <summary>REMOVEXATTR.</summary>
    public static GoldenMessage Removexattr { get; } = GoldenMessage.Parse(
        nameof(Removexattr),
        """
        31000000 18000000 4600000000000000 1100000000000000  # len 49, REMOVEXATTR, unique 70, nodeid 17
        e8030000 e9030000 d2040000 0000 0000  # uid 1000, gid 1001, pid 1234, total_extlen 0, padding
        757365722e612f6200  # name
        """,
        """
        10000000 00000000 4600000000000000  # len 16, error 0, unique 70
        """);
}
