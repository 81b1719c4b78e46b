namespace Harness.Experiments.Fuzz;

/// <summary>Messages that name a file in a directory.</summary>
internal static partial class GoldenMessages
{
    /// <summary>LOOKUP.</summary>
    public static GoldenMessage Lookup { get; } = GoldenMessage.Parse(
        nameof(Lookup),
        """
        2c000000 01000000 1600000000000000 0100000000000000  # len 44, LOOKUP, unique 22, nodeid 1
        e8030000 e9030000 d2040000 0000 0000  # uid 1000, gid 1001, pid 1234, total_extlen 0, padding
        666f6f00  # name
        """,
        """
        90000000 00000000 1600000000000000  # len 144, error 0, unique 22
        1100000000000000 0300000000000000 0100000000000000 0200000000000000  # nodeid 17, generation 3, entry_valid 1, attr_valid 2
        f4010000 58020000  # entry_valid_nsec 500, attr_valid_nsec 600
        1100000000000000 0020000000000000 1000000000000000  # ino 17, size 8192, blocks 16
        01ca9a3b00000000 02ca9a3b00000000 03ca9a3b00000000  # atime, mtime, ctime
        65000000 66000000 67000000 a4810000 02000000  # atimensec 101, mtimensec 102, ctimensec 103, mode 0100644, nlink 2
        e8030000 e9030000 00000000 00100000 00000000  # uid 1000, gid 1001, rdev 0, blksize 4096, flags 0
        """);

    /// <summary>A name that is not there: ENOENT.</summary>
    public static GoldenMessage LookupMissing { get; } = GoldenMessage.Parse(
        nameof(LookupMissing),
        """
        30000000 01000000 1800000000000000 0100000000000000  # len 48, LOOKUP, unique 24, nodeid 1
        e8030000 e9030000 d2040000 0000 0000  # uid 1000, gid 1001, pid 1234, total_extlen 0, padding
        6d697373696e6700  # name
        """,
        """
        10000000 feffffff 1800000000000000  # len 16, error -2, unique 24
        """);

    /// <summary>SYMLINK.</summary>
    public static GoldenMessage Symlink { get; } = GoldenMessage.Parse(
        nameof(Symlink),
        """
        36000000 06000000 1a00000000000000 0100000000000000  # len 54, SYMLINK, unique 26, nodeid 1
        e8030000 e9030000 d2040000 0000 0000  # uid 1000, gid 1001, pid 1234, total_extlen 0, padding
        6c696e6b00 612f74617267657400  # name, target
        """,
        """
        90000000 00000000 1a00000000000000  # len 144, error 0, unique 26
        1100000000000000 0300000000000000 0100000000000000 0200000000000000  # nodeid 17, generation 3, entry_valid 1, attr_valid 2
        f4010000 58020000  # entry_valid_nsec 500, attr_valid_nsec 600
        1100000000000000 0020000000000000 1000000000000000  # ino 17, size 8192, blocks 16
        01ca9a3b00000000 02ca9a3b00000000 03ca9a3b00000000  # atime, mtime, ctime
        65000000 66000000 67000000 a4810000 02000000  # atimensec 101, mtimensec 102, ctimensec 103, mode 0100644, nlink 2
        e8030000 e9030000 00000000 00100000 00000000  # uid 1000, gid 1001, rdev 0, blksize 4096, flags 0
        """);

    /// <summary>MKNOD.</summary>
    public static GoldenMessage Mknod { get; } = GoldenMessage.Parse(
        nameof(Mknod),
        """
        3d000000 08000000 1c00000000000000 0100000000000000  # len 61, MKNOD, unique 28, nodeid 1
        e8030000 e9030000 d2040000 0000 0000  # uid 1000, gid 1001, pid 1234, total_extlen 0, padding
        80210000 03010000 12000000 00000000  # mode 020600, rdev 1:3, umask 022, padding
        6e756c6c00  # name
        """,
        """
        90000000 00000000 1c00000000000000  # len 144, error 0, unique 28
        1100000000000000 0300000000000000 0100000000000000 0200000000000000  # nodeid 17, generation 3, entry_valid 1, attr_valid 2
        f4010000 58020000  # entry_valid_nsec 500, attr_valid_nsec 600
        1100000000000000 0020000000000000 1000000000000000  # ino 17, size 8192, blocks 16
        01ca9a3b00000000 02ca9a3b00000000 03ca9a3b00000000  # atime, mtime, ctime
        65000000 66000000 67000000 a4810000 02000000  # atimensec 101, mtimensec 102, ctimensec 103, mode 0100644, nlink 2
        e8030000 e9030000 00000000 00100000 00000000  # uid 1000, gid 1001, rdev 0, blksize 4096, flags 0
        """);

    /// <summary>MKDIR.</summary>
    public static GoldenMessage Mkdir { get; } = GoldenMessage.Parse(
        nameof(Mkdir),
        """
        34000000 09000000 1e00000000000000 0100000000000000  # len 52, MKDIR, unique 30, nodeid 1
        e8030000 e9030000 d2040000 0000 0000  # uid 1000, gid 1001, pid 1234, total_extlen 0, padding
        ed410000 17000000  # mode 040755, umask 027
        64697200  # name
        """,
        """
        90000000 00000000 1e00000000000000  # len 144, error 0, unique 30
        1100000000000000 0300000000000000 0100000000000000 0200000000000000  # nodeid 17, generation 3, entry_valid 1, attr_valid 2
        f4010000 58020000  # entry_valid_nsec 500, attr_valid_nsec 600
        1100000000000000 0020000000000000 1000000000000000  # ino 17, size 8192, blocks 16
        01ca9a3b00000000 02ca9a3b00000000 03ca9a3b00000000  # atime, mtime, ctime
        65000000 66000000 67000000 a4810000 02000000  # atimensec 101, mtimensec 102, ctimensec 103, mode 0100644, nlink 2
        e8030000 e9030000 00000000 00100000 00000000  # uid 1000, gid 1001, rdev 0, blksize 4096, flags 0
        """);

    /// <summary>UNLINK.</summary>
    public static GoldenMessage Unlink { get; } = GoldenMessage.Parse(
        nameof(Unlink),
        """
        2c000000 0a000000 2000000000000000 0100000000000000  # len 44, UNLINK, unique 32, nodeid 1
        e8030000 e9030000 d2040000 0000 0000  # uid 1000, gid 1001, pid 1234, total_extlen 0, padding
        666f6f00  # name
        """,
        """
        10000000 00000000 2000000000000000  # len 16, error 0, unique 32
        """);

    /// <summary>RMDIR.</summary>
    public static GoldenMessage Rmdir { get; } = GoldenMessage.Parse(
        nameof(Rmdir),
        """
        2c000000 0b000000 2200000000000000 0100000000000000  # len 44, RMDIR, unique 34, nodeid 1
        e8030000 e9030000 d2040000 0000 0000  # uid 1000, gid 1001, pid 1234, total_extlen 0, padding
        64697200  # name
        """,
        """
        10000000 00000000 2200000000000000  # len 16, error 0, unique 34
        """);

    /// <summary>RENAME.</summary>
    public static GoldenMessage Rename { get; } = GoldenMessage.Parse(
        nameof(Rename),
        """
        38000000 0c000000 2400000000000000 0100000000000000  # len 56, RENAME, unique 36, nodeid 1
        e8030000 e9030000 d2040000 0000 0000  # uid 1000, gid 1001, pid 1234, total_extlen 0, padding
        1200000000000000  # newdir 18
        6f6c6400 6e657700  # name, newname
        """,
        """
        10000000 00000000 2400000000000000  # len 16, error 0, unique 36
        """);

    /// <summary>RENAME2.</summary>
    public static GoldenMessage Rename2 { get; } = GoldenMessage.Parse(
        nameof(Rename2),
        """
        40000000 2d000000 2600000000000000 0100000000000000  # len 64, RENAME2, unique 38, nodeid 1
        e8030000 e9030000 d2040000 0000 0000  # uid 1000, gid 1001, pid 1234, total_extlen 0, padding
        1200000000000000 02000000 00000000  # newdir 18, flags EXCHANGE, padding
        6f6c6400 6e657700  # name, newname
        """,
        """
        10000000 00000000 2600000000000000  # len 16, error 0, unique 38
        """);

    /// <summary>LINK.</summary>
    public static GoldenMessage Link { get; } = GoldenMessage.Parse(
        nameof(Link),
        """
        37000000 0d000000 2800000000000000 0100000000000000  # len 55, LINK, unique 40, nodeid 1
        e8030000 e9030000 d2040000 0000 0000  # uid 1000, gid 1001, pid 1234, total_extlen 0, padding
        1100000000000000  # oldnodeid 17
        7365636f6e6400  # name
        """,
        """
        90000000 00000000 2800000000000000  # len 144, error 0, unique 40
        1100000000000000 0300000000000000 0100000000000000 0200000000000000  # nodeid 17, generation 3, entry_valid 1, attr_valid 2
        f4010000 58020000  # entry_valid_nsec 500, attr_valid_nsec 600
        1100000000000000 0020000000000000 1000000000000000  # ino 17, size 8192, blocks 16
        01ca9a3b00000000 02ca9a3b00000000 03ca9a3b00000000  # atime, mtime, ctime
        65000000 66000000 67000000 a4810000 02000000  # atimensec 101, mtimensec 102, ctimensec 103, mode 0100644, nlink 2
        e8030000 e9030000 00000000 00100000 00000000  # uid 1000, gid 1001, rdev 0, blksize 4096, flags 0
        """);

    /// <summary>CREATE.</summary>
    public static GoldenMessage Create { get; } = GoldenMessage.Parse(
        nameof(Create),
        """
        3c000000 23000000 2a00000000000000 0100000000000000  # len 60, CREATE, unique 42, nodeid 1
        e8030000 e9030000 d2040000 0000 0000  # uid 1000, gid 1001, pid 1234, total_extlen 0, padding
        42800000 a4810000 12000000 00000000  # flags O_RDWR|O_CREAT|O_LARGEFILE, mode 0100644, umask 022, open_flags 0
        6e657700  # name
        """,
        """
        a0000000 00000000 2a00000000000000  # len 160, error 0, unique 42
        1100000000000000 0300000000000000 0100000000000000 0200000000000000  # nodeid 17, generation 3, entry_valid 1, attr_valid 2
        f4010000 58020000  # entry_valid_nsec 500, attr_valid_nsec 600
        1100000000000000 0020000000000000 1000000000000000  # ino 17, size 8192, blocks 16
        01ca9a3b00000000 02ca9a3b00000000 03ca9a3b00000000  # atime, mtime, ctime
        65000000 66000000 67000000 a4810000 02000000  # atimensec 101, mtimensec 102, ctimensec 103, mode 0100644, nlink 2
        e8030000 e9030000 00000000 00100000 00000000  # uid 1000, gid 1001, rdev 0, blksize 4096, flags 0
        2100000000000000 03000000 00000000  # fh 33, open_flags DIRECT_IO|KEEP_CACHE, backing_id 0
        """);

    /// <summary>CREATE with a security context and a supplementary group behind its name.</summary>
    public static GoldenMessage CreateExtended { get; } = GoldenMessage.Parse(
        nameof(CreateExtended),
        """
        7c000000 23000000 2c00000000000000 0100000000000000  # len 124, CREATE, unique 44, nodeid 1
        e8030000 e9030000 d2040000 0800 0000  # uid 1000, gid 1001, pid 1234, total_extlen 8, padding
        42800000 a4810000 12000000 01000000  # flags O_RDWR|O_CREAT|O_LARGEFILE, mode 0100644, umask 022, open_flags KILL_SUIDGID
        6e657700  # name
        30000000 01000000  # extension of 48 bytes, nr_secctx 1
        0c000000 00000000  # size 12, padding
        73656375726974792e73656c696e7578 00 73797374656d5f753a6f626a 000000  # name, context, padding to 8 bytes
        10000000 20000000  # extension of 16 bytes, type GROUPS
        01000000 d1070000  # nr_groups 1, group 2001
        """,
        """
        a0000000 00000000 2c00000000000000  # len 160, error 0, unique 44
        1100000000000000 0300000000000000 0100000000000000 0200000000000000  # nodeid 17, generation 3, entry_valid 1, attr_valid 2
        f4010000 58020000  # entry_valid_nsec 500, attr_valid_nsec 600
        1100000000000000 0020000000000000 1000000000000000  # ino 17, size 8192, blocks 16
        01ca9a3b00000000 02ca9a3b00000000 03ca9a3b00000000  # atime, mtime, ctime
        65000000 66000000 67000000 a4810000 02000000  # atimensec 101, mtimensec 102, ctimensec 103, mode 0100644, nlink 2
        e8030000 e9030000 00000000 00100000 00000000  # uid 1000, gid 1001, rdev 0, blksize 4096, flags 0
        2100000000000000 03000000 00000000  # fh 33, open_flags DIRECT_IO|KEEP_CACHE, backing_id 0
        """);

    /// <summary>TMPFILE.</summary>
    public static GoldenMessage Tmpfile { get; } = GoldenMessage.Parse(
        nameof(Tmpfile),
        """
        3a000000 33000000 2e00000000000000 0100000000000000  # len 58, TMPFILE, unique 46, nodeid 1
        e8030000 e9030000 d2040000 0000 0000  # uid 1000, gid 1001, pid 1234, total_extlen 0, padding
        02804100 80810000 3f000000 00000000  # flags O_RDWR|O_LARGEFILE|O_TMPFILE, mode 0100600, umask 077, open_flags 0
        2f00  # a placeholder
        """,
        """
        a0000000 00000000 2e00000000000000  # len 160, error 0, unique 46
        1100000000000000 0300000000000000 0100000000000000 0200000000000000  # nodeid 17, generation 3, entry_valid 1, attr_valid 2
        f4010000 58020000  # entry_valid_nsec 500, attr_valid_nsec 600
        1100000000000000 0020000000000000 1000000000000000  # ino 17, size 8192, blocks 16
        01ca9a3b00000000 02ca9a3b00000000 03ca9a3b00000000  # atime, mtime, ctime
        65000000 66000000 67000000 a4810000 02000000  # atimensec 101, mtimensec 102, ctimensec 103, mode 0100644, nlink 2
        e8030000 e9030000 00000000 00100000 00000000  # uid 1000, gid 1001, rdev 0, blksize 4096, flags 0
        2100000000000000 03000000 00000000  # fh 33, open_flags DIRECT_IO|KEEP_CACHE, backing_id 0
        """);
}
