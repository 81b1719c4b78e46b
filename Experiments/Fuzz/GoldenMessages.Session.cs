namespace Harness.Experiments.Fuzz;

/// <summary>Messages of the session itself and of the whole file system.</summary>
internal static partial class GoldenMessages
{
    /// <summary>INIT of 7.45, answered with the default options.</summary>
    public static GoldenMessage Init { get; } = GoldenMessage.Parse(
        nameof(Init),
        """
        68000000 1a000000 0200000000000000 0000000000000000  # len 104, INIT, unique 2, nodeid 0
        e8030000 e9030000 d2040000 0000 0000  # uid 1000, gid 1001, pid 1234, total_extlen 0, padding
        07000000 2d000000 00000200 fbffff7f  # major 7, minor 45, max_readahead 131072, flags, all but FILE_OPS and the reserved one
        ff070000 00000000000000000000000000000000 00000000000000000000000000000000 000000000000000000000000  # flags2, all, unused
        """,
        """
        50000000 00000000 0200000000000000  # len 80, error 0, unique 2
        07000000 2d000000 00000200  # major 7, minor 45, max_readahead 131072
        21804440  # flags ASYNC_READ|BIG_WRITES|ASYNC_DIO|PARALLEL_DIROPS|MAX_PAGES|INIT_EXT
        4000 3000 00001000 01000000  # max_background 64, congestion_threshold 48, max_write 1 MiB, time_gran 1
        0001 0000  # max_pages 256, map_alignment 0
        00000000 00000000 0000 00000000000000000000000000000000 000000000000  # flags2 0, max_stack_depth 0, request_timeout 0, unused
        """);

    /// <summary>INIT as kernels before 7.36 send it.</summary>
    public static GoldenMessage InitOld { get; } = GoldenMessage.Parse(
        nameof(InitOld),
        """
        38000000 1a000000 0400000000000000 0000000000000000  # len 56, INIT, unique 4, nodeid 0
        e8030000 e9030000 d2040000 0000 0000  # uid 1000, gid 1001, pid 1234, total_extlen 0, padding
        07000000 1f000000 00000200 ffffff07  # major 7, minor 31, max_readahead 131072, flags, all up to MAP_ALIGNMENT
        """,
        """
        50000000 00000000 0400000000000000  # len 80, error 0, unique 4
        07000000 2d000000 00000200  # major 7, minor 45, max_readahead 131072
        21804400  # flags ASYNC_READ|BIG_WRITES|ASYNC_DIO|PARALLEL_DIROPS|MAX_PAGES
        4000 3000 00001000 01000000  # max_background 64, congestion_threshold 48, max_write 1 MiB, time_gran 1
        0001 0000  # max_pages 256, map_alignment 0
        00000000 00000000 0000 00000000000000000000000000000000 000000000000  # flags2 0, max_stack_depth 0, request_timeout 0, unused
        """);

    /// <summary>FORGET.</summary>
    public static GoldenMessage Forget { get; } = GoldenMessage.Parse(
        nameof(Forget),
        """
        30000000 02000000 0600000000000000 1100000000000000  # len 48, FORGET, unique 6, nodeid 17
        e8030000 e9030000 d2040000 0000 0000  # uid 1000, gid 1001, pid 1234, total_extlen 0, padding
        0500000000000000  # nlookup 5
        """);

    /// <summary>BATCH_FORGET.</summary>
    public static GoldenMessage BatchForget { get; } = GoldenMessage.Parse(
        nameof(BatchForget),
        """
        50000000 2a000000 0800000000000000 0000000000000000  # len 80, BATCH_FORGET, unique 8, nodeid 0
        e8030000 e9030000 d2040000 0000 0000  # uid 1000, gid 1001, pid 1234, total_extlen 0, padding
        02000000 00000000  # count 2, dummy
        1100000000000000 0500000000000000  # nodeid 17, nlookup 5
        1200000000000000 0100000000000000  # nodeid 18, nlookup 1
        """);

    /// <summary>An interrupt of a request that is not here: EAGAIN.</summary>
    public static GoldenMessage Interrupt { get; } = GoldenMessage.Parse(
        nameof(Interrupt),
        """
        30000000 24000000 0110000000000000 0000000000000000  # len 48, INTERRUPT, unique 4097, nodeid 0
        e8030000 e9030000 d2040000 0000 0000  # uid 1000, gid 1001, pid 1234, total_extlen 0, padding
        0010000000000000  # unique 4096, which is not here
        """,
        """
        10000000 f5ffffff 0110000000000000  # len 16, error -11, unique 4097
        """);

    /// <summary>The answer to a retrieve notification, under the number 5 that this gave.</summary>
    public static GoldenMessage NotifyReply { get; } = GoldenMessage.Parse(
        nameof(NotifyReply),
        """
        56000000 29000000 0a00000000000040 1100000000000000  # len 86, NOTIFY_REPLY, unique 4611686018427387914, nodeid 17
        e8030000 e9030000 d2040000 0000 0000  # uid 1000, gid 1001, pid 1234, total_extlen 0, padding
        0000000000000000 0010000000000000 06000000 00000000 0000000000000000  # dummy1, offset 4096, size 6, dummy2, dummy3
        0000000000000000  # dummy4
        636163686564  # data
        """);

    /// <summary>DESTROY.</summary>
    public static GoldenMessage Destroy { get; } = GoldenMessage.Parse(
        nameof(Destroy),
        """
        28000000 26000000 0c00000000000000 0000000000000000  # len 40, DESTROY, unique 12, nodeid 0
        e8030000 e9030000 d2040000 0000 0000  # uid 1000, gid 1001, pid 1234, total_extlen 0, padding
        """,
        """
        10000000 00000000 0c00000000000000  # len 16, error 0, unique 12
        """);

    /// <summary>DAX has no place on a device: ENOSYS.</summary>
    public static GoldenMessage Setupmapping { get; } = GoldenMessage.Parse(
        nameof(Setupmapping),
        """
        50000000 30000000 0e00000000000000 1100000000000000  # len 80, SETUPMAPPING, unique 14, nodeid 17
        e8030000 e9030000 d2040000 0000 0000  # uid 1000, gid 1001, pid 1234, total_extlen 0, padding
        2100000000000000 0000000000000000 0000200000000000 0200000000000000  # fh 33, foffset 0, len 2 MiB, flags READ
        0000000000000000  # moffset 0
        """,
        """
        10000000 daffffff 0e00000000000000  # len 16, error -38, unique 14
        """);

    /// <summary>DAX has no place on a device: ENOSYS.</summary>
    public static GoldenMessage Removemapping { get; } = GoldenMessage.Parse(
        nameof(Removemapping),
        """
        3c000000 31000000 1000000000000000 0000000000000000  # len 60, REMOVEMAPPING, unique 16, nodeid 0
        e8030000 e9030000 d2040000 0000 0000  # uid 1000, gid 1001, pid 1234, total_extlen 0, padding
        01000000  # count 1
        0000000000000000 0000200000000000  # moffset 0, len 2 MiB
        """,
        """
        10000000 daffffff 1000000000000000  # len 16, error -38, unique 16
        """);

    /// <summary>STATFS.</summary>
    public static GoldenMessage Statfs { get; } = GoldenMessage.Parse(
        nameof(Statfs),
        """
        28000000 11000000 1200000000000000 0100000000000000  # len 40, STATFS, unique 18, nodeid 1
        e8030000 e9030000 d2040000 0000 0000  # uid 1000, gid 1001, pid 1234, total_extlen 0, padding
        """,
        """
        60000000 00000000 1200000000000000  # len 96, error 0, unique 18
        e803000000000000 8403000000000000 2003000000000000  # blocks 1000, bfree 900, bavail 800
        4600000000000000 3c00000000000000  # files 70, ffree 60
        00100000 ff000000 00100000 00000000  # bsize 4096, namelen 255, frsize 4096, padding
        000000000000000000000000000000000000000000000000  # spare
        """);

    /// <summary>SYNCFS.</summary>
    public static GoldenMessage Syncfs { get; } = GoldenMessage.Parse(
        nameof(Syncfs),
        """
        30000000 32000000 1400000000000000 0100000000000000  # len 48, SYNCFS, unique 20, nodeid 1
        e8030000 e9030000 d2040000 0000 0000  # uid 1000, gid 1001, pid 1234, total_extlen 0, padding
        0000000000000000  # padding
        """,
        """
        10000000 00000000 1400000000000000  # len 16, error 0, unique 20
        """);
}
