namespace Harness.Tests.FuseProtocol.Tracing;

/// <summary>What the trace says of each golden message: read them as its documentation.</summary>
internal static class TraceLines
{
    private const string All = """
        == Init
        rx unique=2 opcode=INIT nodeid=0 pid=1234 uid=1000 gid=1001 len=104 major=7 minor=45 max_readahead=131072 flags=ASYNC_READ|POSIX_LOCKS|ATOMIC_O_TRUNC|EXPORT_SUPPORT|BIG_WRITES|DONT_MASK|SPLICE_WRITE|SPLICE_MOVE|SPLICE_READ|FLOCK_LOCKS|HAS_IOCTL_DIR|AUTO_INVAL_DATA|DO_READDIRPLUS|READDIRPLUS_AUTO|ASYNC_DIO|WRITEBACK_CACHE|NO_OPEN_SUPPORT|PARALLEL_DIROPS|HANDLE_KILLPRIV|POSIX_ACL|ABORT_ERROR|MAX_PAGES|CACHE_SYMLINKS|NO_OPENDIR_SUPPORT|EXPLICIT_INVAL_DATA|MAP_ALIGNMENT|SUBMOUNTS|HANDLE_KILLPRIV_V2|SETXATTR_EXT|INIT_EXT|SECURITY_CTX|HAS_INODE_DAX|CREATE_SUPP_GROUP|HAS_EXPIRE_ONLY|DIRECT_IO_ALLOW_MMAP|PASSTHROUGH|NO_EXPORT_SUPPORT|HAS_RESEND|ALLOW_IDMAP|OVER_IO_URING|REQUEST_TIMEOUT
        tx unique=2 opcode=INIT error=0 len=80 major=7 minor=45 max_readahead=131072 flags=ASYNC_READ|BIG_WRITES|ASYNC_DIO|PARALLEL_DIROPS|MAX_PAGES|INIT_EXT max_background=64 congestion_threshold=48 max_write=1048576 max_pages=256 time_gran=1 request_timeout=0
        == InitOld
        rx unique=4 opcode=INIT nodeid=0 pid=1234 uid=1000 gid=1001 len=56 major=7 minor=31 max_readahead=131072 flags=ASYNC_READ|POSIX_LOCKS|FILE_OPS|ATOMIC_O_TRUNC|EXPORT_SUPPORT|BIG_WRITES|DONT_MASK|SPLICE_WRITE|SPLICE_MOVE|SPLICE_READ|FLOCK_LOCKS|HAS_IOCTL_DIR|AUTO_INVAL_DATA|DO_READDIRPLUS|READDIRPLUS_AUTO|ASYNC_DIO|WRITEBACK_CACHE|NO_OPEN_SUPPORT|PARALLEL_DIROPS|HANDLE_KILLPRIV|POSIX_ACL|ABORT_ERROR|MAX_PAGES|CACHE_SYMLINKS|NO_OPENDIR_SUPPORT|EXPLICIT_INVAL_DATA|MAP_ALIGNMENT
        tx unique=4 opcode=INIT error=0 len=80 major=7 minor=45 max_readahead=131072 flags=ASYNC_READ|BIG_WRITES|ASYNC_DIO|PARALLEL_DIROPS|MAX_PAGES max_background=64 congestion_threshold=48 max_write=1048576 max_pages=256 time_gran=1 request_timeout=0
        == Forget
        rx unique=6 opcode=FORGET nodeid=17 pid=1234 uid=1000 gid=1001 len=48 nlookup=5
        == BatchForget
        rx unique=8 opcode=BATCH_FORGET nodeid=0 pid=1234 uid=1000 gid=1001 len=80 count=2
        == Interrupt
        rx unique=4097 opcode=INTERRUPT nodeid=0 pid=1234 uid=1000 gid=1001 len=48 interrupts=4096
        tx unique=4097 opcode=INTERRUPT error=EAGAIN len=16
        == NotifyReply
        rx unique=4611686018427387914 opcode=NOTIFY_REPLY nodeid=17 pid=1234 uid=1000 gid=1001 len=86 number=5 offset=4096 size=6
        == Destroy
        rx unique=12 opcode=DESTROY nodeid=0 pid=1234 uid=1000 gid=1001 len=40
        tx unique=12 opcode=DESTROY error=0 len=16
        == Setupmapping
        rx unique=14 opcode=SETUPMAPPING nodeid=17 pid=1234 uid=1000 gid=1001 len=80 fh=33 foffset=0 len=2097152 flags=0x2 moffset=0
        tx unique=14 opcode=SETUPMAPPING error=ENOSYS len=16
        == Removemapping
        rx unique=16 opcode=REMOVEMAPPING nodeid=0 pid=1234 uid=1000 gid=1001 len=60 count=1
        tx unique=16 opcode=REMOVEMAPPING error=ENOSYS len=16
        == Statfs
        rx unique=18 opcode=STATFS nodeid=1 pid=1234 uid=1000 gid=1001 len=40
        tx unique=18 opcode=STATFS error=0 len=96 bsize=4096 blocks=1000 bfree=900
        == Syncfs
        rx unique=20 opcode=SYNCFS nodeid=1 pid=1234 uid=1000 gid=1001 len=48
        tx unique=20 opcode=SYNCFS error=0 len=16
        == Lookup
        rx unique=22 opcode=LOOKUP nodeid=1 pid=1234 uid=1000 gid=1001 len=44 name="foo"
        tx unique=22 opcode=LOOKUP error=0 len=144 nodeid=17 generation=3 entry_valid=1.000000500s attr_valid=2.000000600s ino=17 mode=0100644 nlink=2 size=8192
        == LookupMissing
        rx unique=24 opcode=LOOKUP nodeid=1 pid=1234 uid=1000 gid=1001 len=48 name="missing"
        tx unique=24 opcode=LOOKUP error=ENOENT len=16
        == Symlink
        rx unique=26 opcode=SYMLINK nodeid=1 pid=1234 uid=1000 gid=1001 len=54 name="link" target="a/target"
        tx unique=26 opcode=SYMLINK error=0 len=144 nodeid=17 generation=3 entry_valid=1.000000500s attr_valid=2.000000600s ino=17 mode=0100644 nlink=2 size=8192
        == Mknod
        rx unique=28 opcode=MKNOD nodeid=1 pid=1234 uid=1000 gid=1001 len=61 name="null" mode=020600 rdev=0x103 umask=022
        tx unique=28 opcode=MKNOD error=0 len=144 nodeid=17 generation=3 entry_valid=1.000000500s attr_valid=2.000000600s ino=17 mode=0100644 nlink=2 size=8192
        == Mkdir
        rx unique=30 opcode=MKDIR nodeid=1 pid=1234 uid=1000 gid=1001 len=52 name="dir" mode=040755 umask=027
        tx unique=30 opcode=MKDIR error=0 len=144 nodeid=17 generation=3 entry_valid=1.000000500s attr_valid=2.000000600s ino=17 mode=0100644 nlink=2 size=8192
        == Unlink
        rx unique=32 opcode=UNLINK nodeid=1 pid=1234 uid=1000 gid=1001 len=44 name="foo"
        tx unique=32 opcode=UNLINK error=0 len=16
        == Rmdir
        rx unique=34 opcode=RMDIR nodeid=1 pid=1234 uid=1000 gid=1001 len=44 name="dir"
        tx unique=34 opcode=RMDIR error=0 len=16
        == Rename
        rx unique=36 opcode=RENAME nodeid=1 pid=1234 uid=1000 gid=1001 len=56 newdir=18 name="old" newname="new"
        tx unique=36 opcode=RENAME error=0 len=16
        == Rename2
        rx unique=38 opcode=RENAME2 nodeid=1 pid=1234 uid=1000 gid=1001 len=64 newdir=18 name="old" newname="new" flags=EXCHANGE
        tx unique=38 opcode=RENAME2 error=0 len=16
        == Link
        rx unique=40 opcode=LINK nodeid=1 pid=1234 uid=1000 gid=1001 len=55 oldnodeid=17 name="second"
        tx unique=40 opcode=LINK error=0 len=144 nodeid=17 generation=3 entry_valid=1.000000500s attr_valid=2.000000600s ino=17 mode=0100644 nlink=2 size=8192
        == Create
        rx unique=42 opcode=CREATE nodeid=1 pid=1234 uid=1000 gid=1001 len=60 name="new" flags=O_RDWR|O_CREAT|O_LARGEFILE mode=0100644 umask=022 open_flags=0
        tx unique=42 opcode=CREATE error=0 len=160 nodeid=17 generation=3 entry_valid=1.000000500s attr_valid=2.000000600s ino=17 mode=0100644 nlink=2 size=8192 fh=33 open_flags=DIRECT_IO|KEEP_CACHE
        == CreateExtended
        rx unique=44 opcode=CREATE nodeid=1 pid=1234 uid=1000 gid=1001 len=124 name="new" flags=O_RDWR|O_CREAT|O_LARGEFILE mode=0100644 umask=022 open_flags=KILL_SUIDGID groups=2001 security.selinux="system_u:obj"
        tx unique=44 opcode=CREATE error=0 len=160 nodeid=17 generation=3 entry_valid=1.000000500s attr_valid=2.000000600s ino=17 mode=0100644 nlink=2 size=8192 fh=33 open_flags=DIRECT_IO|KEEP_CACHE
        == Tmpfile
        rx unique=46 opcode=TMPFILE nodeid=1 pid=1234 uid=1000 gid=1001 len=58 flags=O_RDWR|O_TMPFILE|O_LARGEFILE mode=0100600 umask=077 open_flags=0
        tx unique=46 opcode=TMPFILE error=0 len=160 nodeid=17 generation=3 entry_valid=1.000000500s attr_valid=2.000000600s ino=17 mode=0100644 nlink=2 size=8192 fh=33 open_flags=DIRECT_IO|KEEP_CACHE
        == Getattr
        rx unique=48 opcode=GETATTR nodeid=17 pid=1234 uid=1000 gid=1001 len=56 getattr_flags=FH fh=33
        tx unique=48 opcode=GETATTR error=0 len=120 ino=17 mode=0100644 nlink=2 size=8192
        == Setattr
        rx unique=50 opcode=SETATTR nodeid=17 pid=1234 uid=1000 gid=1001 len=128 valid=MODE|SIZE|FH fh=33 size=12288 mode=0100600
        tx unique=50 opcode=SETATTR error=0 len=120 ino=17 mode=0100644 nlink=2 size=8192
        == Readlink
        rx unique=52 opcode=READLINK nodeid=17 pid=1234 uid=1000 gid=1001 len=40
        tx unique=52 opcode=READLINK error=0 len=24 size=8
        == Access
        rx unique=54 opcode=ACCESS nodeid=17 pid=1234 uid=1000 gid=1001 len=48 mask=R_OK
        tx unique=54 opcode=ACCESS error=0 len=16
        == Statx
        rx unique=56 opcode=STATX nodeid=17 pid=1234 uid=1000 gid=1001 len=64 getattr_flags=0 sx_flags=0x2000 sx_mask=0xfff
        tx unique=56 opcode=STATX error=0 len=304 mask=0xfff ino=17 mode=0100644 size=8192
        == Setxattr
        rx unique=58 opcode=SETXATTR nodeid=17 pid=1234 uid=1000 gid=1001 len=62 name="user.a/b" size=5 flags=XATTR_CREATE setxattr_flags=0
        tx unique=58 opcode=SETXATTR error=0 len=16
        == SetxattrExtended
        rx unique=60 opcode=SETXATTR nodeid=17 pid=1234 uid=1000 gid=1001 len=70 name="user.a/b" size=5 flags=XATTR_REPLACE setxattr_flags=ACL_KILL_SGID
        tx unique=60 opcode=SETXATTR error=0 len=16
        == Getxattr
        rx unique=62 opcode=GETXATTR nodeid=17 pid=1234 uid=1000 gid=1001 len=57 name="user.a/b" size=64
        tx unique=62 opcode=GETXATTR error=0 len=21
        == GetxattrSize
        rx unique=64 opcode=GETXATTR nodeid=17 pid=1234 uid=1000 gid=1001 len=57 name="user.a/b" size=0
        tx unique=64 opcode=GETXATTR error=0 len=24
        == Listxattr
        rx unique=66 opcode=LISTXATTR nodeid=17 pid=1234 uid=1000 gid=1001 len=48 size=64
        tx unique=66 opcode=LISTXATTR error=0 len=25
        == ListxattrSize
        rx unique=68 opcode=LISTXATTR nodeid=17 pid=1234 uid=1000 gid=1001 len=48 size=0
        tx unique=68 opcode=LISTXATTR error=0 len=24
        == Removexattr
        rx unique=70 opcode=REMOVEXATTR nodeid=17 pid=1234 uid=1000 gid=1001 len=49 name="user.a/b"
        tx unique=70 opcode=REMOVEXATTR error=0 len=16
        == Open
        rx unique=72 opcode=OPEN nodeid=17 pid=1234 uid=1000 gid=1001 len=48 flags=O_RDWR|O_DIRECT|O_LARGEFILE open_flags=KILL_SUIDGID
        tx unique=72 opcode=OPEN error=0 len=32 fh=33 open_flags=DIRECT_IO|KEEP_CACHE
        == Opendir
        rx unique=74 opcode=OPENDIR nodeid=1 pid=1234 uid=1000 gid=1001 len=48 flags=O_RDONLY|O_NONBLOCK|O_LARGEFILE|O_DIRECTORY open_flags=0
        tx unique=74 opcode=OPENDIR error=0 len=32 fh=33 open_flags=DIRECT_IO|KEEP_CACHE
        == Read
        rx unique=76 opcode=READ nodeid=17 pid=1234 uid=1000 gid=1001 len=80 fh=33 offset=4096 size=16 read_flags=LOCKOWNER flags=O_RDONLY|O_LARGEFILE
        tx unique=76 opcode=READ error=0 len=32 size=16
        == Write
        rx unique=78 opcode=WRITE nodeid=17 pid=1234 uid=1000 gid=1001 len=85 fh=33 offset=8192 size=5 write_flags=LOCKOWNER|KILL_SUIDGID flags=O_RDWR|O_LARGEFILE
        tx unique=78 opcode=WRITE error=0 len=24 size=5
        == Flush
        rx unique=80 opcode=FLUSH nodeid=17 pid=1234 uid=1000 gid=1001 len=64 fh=33 lock_owner=0x4d
        tx unique=80 opcode=FLUSH error=0 len=16
        == Release
        rx unique=82 opcode=RELEASE nodeid=17 pid=1234 uid=1000 gid=1001 len=64 fh=33 flags=O_RDWR|O_LARGEFILE release_flags=FLUSH|FLOCK_UNLOCK
        tx unique=82 opcode=RELEASE error=0 len=16
        == Releasedir
        rx unique=84 opcode=RELEASEDIR nodeid=1 pid=1234 uid=1000 gid=1001 len=64 fh=33 flags=O_RDONLY|O_LARGEFILE|O_DIRECTORY release_flags=0
        tx unique=84 opcode=RELEASEDIR error=0 len=16
        == Fsync
        rx unique=86 opcode=FSYNC nodeid=17 pid=1234 uid=1000 gid=1001 len=56 fh=33 fsync_flags=FDATASYNC
        tx unique=86 opcode=FSYNC error=0 len=16
        == Fsyncdir
        rx unique=88 opcode=FSYNCDIR nodeid=1 pid=1234 uid=1000 gid=1001 len=56 fh=33 fsync_flags=0
        tx unique=88 opcode=FSYNCDIR error=0 len=16
        == Readdir
        rx unique=90 opcode=READDIR nodeid=1 pid=1234 uid=1000 gid=1001 len=80 fh=33 offset=0 size=4096 read_flags=0 flags=O_RDONLY|O_LARGEFILE
        tx unique=90 opcode=READDIR error=0 len=80 size=64
        == Readdirplus
        rx unique=92 opcode=READDIRPLUS nodeid=1 pid=1234 uid=1000 gid=1001 len=80 fh=33 offset=0 size=4096 read_flags=0 flags=O_RDONLY|O_LARGEFILE
        tx unique=92 opcode=READDIRPLUS error=0 len=176 size=160
        == Getlk
        rx unique=94 opcode=GETLK nodeid=17 pid=1234 uid=1000 gid=1001 len=88 fh=33 owner=0x4d start=100 end=199 type=F_WRLCK lockpid=1234 lk_flags=0
        tx unique=94 opcode=GETLK error=0 len=40 start=100 end=149 type=F_RDLCK lockpid=4321
        == Setlk
        rx unique=96 opcode=SETLK nodeid=17 pid=1234 uid=1000 gid=1001 len=88 fh=33 owner=0x4d start=100 end=199 type=F_RDLCK lockpid=1234 lk_flags=0
        tx unique=96 opcode=SETLK error=0 len=16
        == Setlkw
        rx unique=98 opcode=SETLKW nodeid=17 pid=1234 uid=1000 gid=1001 len=88 fh=33 owner=0x4d start=100 end=199 type=F_WRLCK lockpid=1234 lk_flags=FLOCK
        tx unique=98 opcode=SETLKW error=0 len=16
        == Bmap
        rx unique=100 opcode=BMAP nodeid=17 pid=1234 uid=1000 gid=1001 len=56 block=5 blocksize=4096
        tx unique=100 opcode=BMAP error=0 len=24 block=105
        == Ioctl
        rx unique=102 opcode=IOCTL nodeid=17 pid=1234 uid=1000 gid=1001 len=76 fh=33 cmd=0x6601 arg=0x7000 flags=DIR in_size=4 out_size=8
        tx unique=102 opcode=IOCTL error=0 len=36 result=9 flags=0 size=4
        == Poll
        rx unique=104 opcode=POLL nodeid=17 pid=1234 uid=1000 gid=1001 len=64 fh=33 kh=44 flags=SCHEDULE_NOTIFY events=0x5
        tx unique=104 opcode=POLL error=0 len=24 revents=0x1
        == Fallocate
        rx unique=106 opcode=FALLOCATE nodeid=17 pid=1234 uid=1000 gid=1001 len=72 fh=33 offset=4096 length=8192 mode=KEEP_SIZE|PUNCH_HOLE
        tx unique=106 opcode=FALLOCATE error=0 len=16
        == Lseek
        rx unique=108 opcode=LSEEK nodeid=17 pid=1234 uid=1000 gid=1001 len=64 fh=33 offset=4096 whence=SEEK_HOLE
        tx unique=108 opcode=LSEEK error=0 len=24 offset=8192
        == CopyFileRange
        rx unique=110 opcode=COPY_FILE_RANGE nodeid=17 pid=1234 uid=1000 gid=1001 len=96 fh_in=33 off_in=4096 nodeid_out=18 fh_out=34 off_out=8192 size=5368709120 flags=0x0
        tx unique=110 opcode=COPY_FILE_RANGE error=0 len=24 size=4294963200
        == CopyFileRange64
        rx unique=112 opcode=COPY_FILE_RANGE_64 nodeid=17 pid=1234 uid=1000 gid=1001 len=96 fh_in=33 off_in=4096 nodeid_out=18 fh_out=34 off_out=8192 size=5368709120 flags=0x0
        tx unique=112 opcode=COPY_FILE_RANGE_64 error=0 len=24 size=5368709120

        """;

    /// <summary>The lines of one golden message.</summary>
    public static string Of(string name)
    {
        int start = All.IndexOf($"== {name}\n", StringComparison.Ordinal) + $"== {name}\n".Length;
        int end = All.IndexOf("== ", start, StringComparison.Ordinal);
        return end < 0 ? All[start..] : All[start..end];
    }
}
