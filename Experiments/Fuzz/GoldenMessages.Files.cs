namespace Harness.Experiments.Fuzz;

/// <summary>Messages that are about an open file.</summary>
internal static partial class GoldenMessages
{
    /// <summary>OPEN.</summary>
    public static GoldenMessage Open { get; } = GoldenMessage.Parse(
        nameof(Open),
        """
        30000000 0e000000 4800000000000000 1100000000000000  # len 48, OPEN, unique 72, nodeid 17
        e8030000 e9030000 d2040000 0000 0000  # uid 1000, gid 1001, pid 1234, total_extlen 0, padding
        02c00000 01000000  # flags O_RDWR|O_DIRECT|O_LARGEFILE, open_flags KILL_SUIDGID
        """,
        """
        20000000 00000000 4800000000000000  # len 32, error 0, unique 72
        2100000000000000 03000000 00000000  # fh 33, open_flags DIRECT_IO|KEEP_CACHE, backing_id 0
        """);

    /// <summary>OPENDIR.</summary>
    public static GoldenMessage Opendir { get; } = GoldenMessage.Parse(
        nameof(Opendir),
        """
        30000000 1b000000 4a00000000000000 0100000000000000  # len 48, OPENDIR, unique 74, nodeid 1
        e8030000 e9030000 d2040000 0000 0000  # uid 1000, gid 1001, pid 1234, total_extlen 0, padding
        00880100 00000000  # flags O_RDONLY|O_NONBLOCK|O_LARGEFILE|O_DIRECTORY, open_flags 0
        """,
        """
        20000000 00000000 4a00000000000000  # len 32, error 0, unique 74
        2100000000000000 03000000 00000000  # fh 33, open_flags DIRECT_IO|KEEP_CACHE, backing_id 0
        """);

    /// <summary>READ.</summary>
    public static GoldenMessage Read { get; } = GoldenMessage.Parse(
        nameof(Read),
        """
        50000000 0f000000 4c00000000000000 1100000000000000  # len 80, READ, unique 76, nodeid 17
        e8030000 e9030000 d2040000 0000 0000  # uid 1000, gid 1001, pid 1234, total_extlen 0, padding
        2100000000000000 0010000000000000 10000000 02000000  # fh 33, offset 4096, size 16, read_flags LOCKOWNER
        4d00000000000000 00800000 00000000  # lock_owner 77, flags O_RDONLY|O_LARGEFILE, padding
        """,
        """
        20000000 00000000 4c00000000000000  # len 32, error 0, unique 76
        7369787465656e2062797465732e2e2e  # data
        """);

    /// <summary>WRITE.</summary>
    public static GoldenMessage Write { get; } = GoldenMessage.Parse(
        nameof(Write),
        """
        55000000 10000000 4e00000000000000 1100000000000000  # len 85, WRITE, unique 78, nodeid 17
        e8030000 e9030000 d2040000 0000 0000  # uid 1000, gid 1001, pid 1234, total_extlen 0, padding
        2100000000000000 0020000000000000 05000000 06000000  # fh 33, offset 8192, size 5, write_flags LOCKOWNER|KILL_SUIDGID
        4d00000000000000 02800000 00000000  # lock_owner 77, flags O_RDWR|O_LARGEFILE, padding
        68656c6c6f  # data
        """,
        """
        18000000 00000000 4e00000000000000  # len 24, error 0, unique 78
        05000000 00000000  # size 5, padding
        """);

    /// <summary>FLUSH.</summary>
    public static GoldenMessage Flush { get; } = GoldenMessage.Parse(
        nameof(Flush),
        """
        40000000 19000000 5000000000000000 1100000000000000  # len 64, FLUSH, unique 80, nodeid 17
        e8030000 e9030000 d2040000 0000 0000  # uid 1000, gid 1001, pid 1234, total_extlen 0, padding
        2100000000000000 00000000 00000000 4d00000000000000  # fh 33, unused, padding, lock_owner 77
        """,
        """
        10000000 00000000 5000000000000000  # len 16, error 0, unique 80
        """);

    /// <summary>RELEASE.</summary>
    public static GoldenMessage Release { get; } = GoldenMessage.Parse(
        nameof(Release),
        """
        40000000 12000000 5200000000000000 1100000000000000  # len 64, RELEASE, unique 82, nodeid 17
        e8030000 e9030000 d2040000 0000 0000  # uid 1000, gid 1001, pid 1234, total_extlen 0, padding
        2100000000000000 02800000 03000000  # fh 33, flags O_RDWR|O_LARGEFILE, release_flags FLUSH|FLOCK_UNLOCK
        4d00000000000000  # lock_owner 77
        """,
        """
        10000000 00000000 5200000000000000  # len 16, error 0, unique 82
        """);

    /// <summary>RELEASEDIR.</summary>
    public static GoldenMessage Releasedir { get; } = GoldenMessage.Parse(
        nameof(Releasedir),
        """
        40000000 1d000000 5400000000000000 0100000000000000  # len 64, RELEASEDIR, unique 84, nodeid 1
        e8030000 e9030000 d2040000 0000 0000  # uid 1000, gid 1001, pid 1234, total_extlen 0, padding
        2100000000000000 00800100 00000000  # fh 33, flags O_RDONLY|O_LARGEFILE|O_DIRECTORY, release_flags 0
        0000000000000000  # lock_owner 0
        """,
        """
        10000000 00000000 5400000000000000  # len 16, error 0, unique 84
        """);

    /// <summary>FSYNC.</summary>
    public static GoldenMessage Fsync { get; } = GoldenMessage.Parse(
        nameof(Fsync),
        """
        38000000 14000000 5600000000000000 1100000000000000  # len 56, FSYNC, unique 86, nodeid 17
        e8030000 e9030000 d2040000 0000 0000  # uid 1000, gid 1001, pid 1234, total_extlen 0, padding
        2100000000000000 01000000 00000000  # fh 33, fsync_flags FDATASYNC, padding
        """,
        """
        10000000 00000000 5600000000000000  # len 16, error 0, unique 86
        """);

    /// <summary>FSYNCDIR.</summary>
    public static GoldenMessage Fsyncdir { get; } = GoldenMessage.Parse(
        nameof(Fsyncdir),
        """
        38000000 1e000000 5800000000000000 0100000000000000  # len 56, FSYNCDIR, unique 88, nodeid 1
        e8030000 e9030000 d2040000 0000 0000  # uid 1000, gid 1001, pid 1234, total_extlen 0, padding
        2100000000000000 00000000 00000000  # fh 33, fsync_flags 0, padding
        """,
        """
        10000000 00000000 5800000000000000  # len 16, error 0, unique 88
        """);

    /// <summary>READDIR.</summary>
    public static GoldenMessage Readdir { get; } = GoldenMessage.Parse(
        nameof(Readdir),
        """
        50000000 1c000000 5a00000000000000 0100000000000000  # len 80, READDIR, unique 90, nodeid 1
        e8030000 e9030000 d2040000 0000 0000  # uid 1000, gid 1001, pid 1234, total_extlen 0, padding
        2100000000000000 0000000000000000 00100000 00000000  # fh 33, offset 0, size 4096, read_flags 0
        4d00000000000000 00800000 00000000  # lock_owner 77, flags O_RDONLY|O_LARGEFILE, padding
        """,
        """
        50000000 00000000 5a00000000000000  # len 80, error 0, unique 90
        1100000000000000 0100000000000000 03000000 08000000  # ino 17, off 1, namelen 3, type 8
        666f6f 0000000000  # "foo", padding
        1200000000000000 0200000000000000 08000000 04000000  # ino 18, off 2, namelen 8, type 4
        6c6f6e676e616d65  # "longname"
        """);

    /// <summary>READDIRPLUS.</summary>
    public static GoldenMessage Readdirplus { get; } = GoldenMessage.Parse(
        nameof(Readdirplus),
        """
        50000000 2c000000 5c00000000000000 0100000000000000  # len 80, READDIRPLUS, unique 92, nodeid 1
        e8030000 e9030000 d2040000 0000 0000  # uid 1000, gid 1001, pid 1234, total_extlen 0, padding
        2100000000000000 0000000000000000 00100000 00000000  # fh 33, offset 0, size 4096, read_flags 0
        4d00000000000000 00800000 00000000  # lock_owner 77, flags O_RDONLY|O_LARGEFILE, padding
        """,
        """
        b0000000 00000000 5c00000000000000  # len 176, error 0, unique 92
        1100000000000000 0300000000000000 0100000000000000 0200000000000000  # nodeid 17, generation 3, entry_valid 1, attr_valid 2
        f4010000 58020000  # entry_valid_nsec 500, attr_valid_nsec 600
        1100000000000000 0020000000000000 1000000000000000  # ino 17, size 8192, blocks 16
        01ca9a3b00000000 02ca9a3b00000000 03ca9a3b00000000  # atime, mtime, ctime
        65000000 66000000 67000000 a4810000 02000000  # atimensec 101, mtimensec 102, ctimensec 103, mode 0100644, nlink 2
        e8030000 e9030000 00000000 00100000 00000000  # uid 1000, gid 1001, rdev 0, blksize 4096, flags 0
        1100000000000000 0100000000000000 03000000 08000000  # ino 17, off 1, namelen 3, type 8
        666f6f 0000000000  # "foo", padding
        """);

    /// <summary>GETLK.</summary>
    public static GoldenMessage Getlk { get; } = GoldenMessage.Parse(
        nameof(Getlk),
        """
        58000000 1f000000 5e00000000000000 1100000000000000  # len 88, GETLK, unique 94, nodeid 17
        e8030000 e9030000 d2040000 0000 0000  # uid 1000, gid 1001, pid 1234, total_extlen 0, padding
        2100000000000000 4d00000000000000  # fh 33, owner 77
        6400000000000000 c700000000000000 01000000 d2040000  # start 100, end 199, type F_WRLCK, pid 1234
        00000000 00000000  # lk_flags 0, padding
        """,
        """
        28000000 00000000 5e00000000000000  # len 40, error 0, unique 94
        6400000000000000 9500000000000000 00000000 e1100000  # start 100, end 149, type F_RDLCK, pid 4321
        """);

    /// <summary>SETLK.</summary>
    public static GoldenMessage Setlk { get; } = GoldenMessage.Parse(
        nameof(Setlk),
        """
        58000000 20000000 6000000000000000 1100000000000000  # len 88, SETLK, unique 96, nodeid 17
        e8030000 e9030000 d2040000 0000 0000  # uid 1000, gid 1001, pid 1234, total_extlen 0, padding
        2100000000000000 4d00000000000000  # fh 33, owner 77
        6400000000000000 c700000000000000 00000000 d2040000  # start 100, end 199, type F_RDLCK, pid 1234
        00000000 00000000  # lk_flags 0, padding
        """,
        """
        10000000 00000000 6000000000000000  # len 16, error 0, unique 96
        """);

    /// <summary>SETLKW.</summary>
    public static GoldenMessage Setlkw { get; } = GoldenMessage.Parse(
        nameof(Setlkw),
        """
        58000000 21000000 6200000000000000 1100000000000000  # len 88, SETLKW, unique 98, nodeid 17
        e8030000 e9030000 d2040000 0000 0000  # uid 1000, gid 1001, pid 1234, total_extlen 0, padding
        2100000000000000 4d00000000000000  # fh 33, owner 77
        6400000000000000 c700000000000000 01000000 d2040000  # start 100, end 199, type F_WRLCK, pid 1234
        01000000 00000000  # lk_flags FLOCK, padding
        """,
        """
        10000000 00000000 6200000000000000  # len 16, error 0, unique 98
        """);

    /// <summary>BMAP.</summary>
    public static GoldenMessage Bmap { get; } = GoldenMessage.Parse(
        nameof(Bmap),
        """
        38000000 25000000 6400000000000000 1100000000000000  # len 56, BMAP, unique 100, nodeid 17
        e8030000 e9030000 d2040000 0000 0000  # uid 1000, gid 1001, pid 1234, total_extlen 0, padding
        0500000000000000 00100000 00000000  # block 5, blocksize 4096, padding
        """,
        """
        18000000 00000000 6400000000000000  # len 24, error 0, unique 100
        6900000000000000  # block 105
        """);

    /// <summary>IOCTL.</summary>
    public static GoldenMessage Ioctl { get; } = GoldenMessage.Parse(
        nameof(Ioctl),
        """
        4c000000 27000000 6600000000000000 1100000000000000  # len 76, IOCTL, unique 102, nodeid 17
        e8030000 e9030000 d2040000 0000 0000  # uid 1000, gid 1001, pid 1234, total_extlen 0, padding
        2100000000000000 10000000 01660000  # fh 33, flags DIR, cmd 0x6601
        0070000000000000 04000000 08000000  # arg 0x7000, in_size 4, out_size 8
        70696e67  # data
        """,
        """
        24000000 00000000 6600000000000000  # len 36, error 0, unique 102
        09000000 00000000 00000000 00000000  # result 9, flags 0, in_iovs 0, out_iovs 0
        706f6e67  # data
        """);

    /// <summary>POLL.</summary>
    public static GoldenMessage Poll { get; } = GoldenMessage.Parse(
        nameof(Poll),
        """
        40000000 28000000 6800000000000000 1100000000000000  # len 64, POLL, unique 104, nodeid 17
        e8030000 e9030000 d2040000 0000 0000  # uid 1000, gid 1001, pid 1234, total_extlen 0, padding
        2100000000000000 2c00000000000000 01000000 05000000  # fh 33, kh 44, flags SCHEDULE_NOTIFY, events POLLIN|POLLOUT
        """,
        """
        18000000 00000000 6800000000000000  # len 24, error 0, unique 104
        01000000 00000000  # revents POLLIN, padding
        """);

    /// <summary>FALLOCATE.</summary>
    public static GoldenMessage Fallocate { get; } = GoldenMessage.Parse(
        nameof(Fallocate),
        """
        48000000 2b000000 6a00000000000000 1100000000000000  # len 72, FALLOCATE, unique 106, nodeid 17
        e8030000 e9030000 d2040000 0000 0000  # uid 1000, gid 1001, pid 1234, total_extlen 0, padding
        2100000000000000 0010000000000000 0020000000000000  # fh 33, offset 4096, length 8192
        03000000 00000000  # mode KEEP_SIZE|PUNCH_HOLE, padding
        """,
        """
        10000000 00000000 6a00000000000000  # len 16, error 0, unique 106
        """);

    /// <summary>LSEEK.</summary>
    public static GoldenMessage Lseek { get; } = GoldenMessage.Parse(
        nameof(Lseek),
        """
        40000000 2e000000 6c00000000000000 1100000000000000  # len 64, LSEEK, unique 108, nodeid 17
        e8030000 e9030000 d2040000 0000 0000  # uid 1000, gid 1001, pid 1234, total_extlen 0, padding
        2100000000000000 0010000000000000 04000000 00000000  # fh 33, offset 4096, whence SEEK_HOLE, padding
        """,
        """
        18000000 00000000 6c00000000000000  # len 24, error 0, unique 108
        0020000000000000  # offset 8192
        """);

    /// <summary>COPY_FILE_RANGE of more than its reply can count.</summary>
    public static GoldenMessage CopyFileRange { get; } = GoldenMessage.Parse(
        nameof(CopyFileRange),
        """
        60000000 2f000000 6e00000000000000 1100000000000000  # len 96, COPY_FILE_RANGE, unique 110, nodeid 17
        e8030000 e9030000 d2040000 0000 0000  # uid 1000, gid 1001, pid 1234, total_extlen 0, padding
        2100000000000000 0010000000000000 1200000000000000 2200000000000000  # fh_in 33, off_in 4096, nodeid_out 18, fh_out 34
        0020000000000000 0000004001000000 0000000000000000  # off_out 8192, len 5 GiB, flags 0
        """,
        """
        18000000 00000000 6e00000000000000  # len 24, error 0, unique 110
        00f0ffff 00000000  # size: as many pages as 32 bits count, padding
        """);

    /// <summary>COPY_FILE_RANGE_64.</summary>
    public static GoldenMessage CopyFileRange64 { get; } = GoldenMessage.Parse(
        nameof(CopyFileRange64),
        """
        60000000 35000000 7000000000000000 1100000000000000  # len 96, COPY_FILE_RANGE_64, unique 112, nodeid 17
        e8030000 e9030000 d2040000 0000 0000  # uid 1000, gid 1001, pid 1234, total_extlen 0, padding
        2100000000000000 0010000000000000 1200000000000000 2200000000000000  # fh_in 33, off_in 4096, nodeid_out 18, fh_out 34
        0020000000000000 0000004001000000 0000000000000000  # off_out 8192, len 5 GiB, flags 0
        """,
        """
        18000000 00000000 7000000000000000  # len 24, error 0, unique 112
        0000004001000000  # bytes_copied 5 GiB
        """);
}
