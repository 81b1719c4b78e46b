using Harness.FuseProtocol.Wire;

namespace Harness.FuseProtocol;

public static partial class InitFlagNames
{
    // Versions are those of the change log in include/uapi/linux/fuse.h; flags that it does not mention are under the version of the
    // release that brought them. Effects are those of fs/fuse/inode.c, process_init_reply, and of where the fields it sets are read.
    private static readonly InitFlagRow[] s_rows =
    [
        User(InitFlags.AsyncRead, "async-read", 6,
            "Sends several READs of one file at once (readahead); off, each waits for the one before."),
        User(InitFlags.PosixLocks, "posix-locks", 7, "Sends fcntl(2) locks to the file system; off, the kernel keeps them by itself."),
        new(InitFlags.FileOps, "file-ops", 9, InitFlagSetter.Nobody, "The kernel never made use of it."),
        User(InitFlags.AtomicOTrunc, "atomic-o-trunc", 9,
            "Leaves O_TRUNC in OPEN and CREATE; off, a SETATTR of size 0 goes before the OPEN."),
        User(InitFlags.ExportSupport, "export-support", 10,
            "Looks up '.' and '..' of nodes it has forgotten, which exporting by NFS needs."),
        new(InitFlags.BigWrites, "big-writes", 9, InitFlagSetter.Session, "Lets WRITEs be longer than a page; max-write says how long."),
        User(InitFlags.DontMask, "dont-mask", 12, "Leaves applying the umask to the file system, as default ACLs need."),
        new(InitFlags.SpliceWrite, "splice-write", 14, InitFlagSetter.Kernel, "The device can be written by splice(2)."),
        new(InitFlags.SpliceMove, "splice-move", 14, InitFlagSetter.Kernel, "Pages spliced to the device can be moved instead of copied."),
        new(InitFlags.SpliceRead, "splice-read", 14, InitFlagSetter.Kernel, "The device can be read by splice(2)."),
        User(InitFlags.FlockLocks, "flock-locks", 17, "Sends flock(2) locks to the file system; off, the kernel keeps them by itself."),
        new(InitFlags.HasIoctlDir, "has-ioctl-dir", 18, InitFlagSetter.Kernel, "IOCTL can come for directories."),
        User(InitFlags.AutoInvalData, "auto-inval-data", 20, "Drops a file's cached data when its mtime or size is seen to have changed."),
        User(InitFlags.DoReaddirplus, "do-readdirplus", 21, "Lists directories by READDIRPLUS, which brings attributes with the names."),
        User(InitFlags.ReaddirplusAuto, "readdirplus-auto", 21, "Uses READDIRPLUS only where attributes are likely to be asked for next."),
        User(InitFlags.AsyncDio, "async-dio", 22,
            "Sends the messages of one direct read or write all at once, and those of libaio without waiting."),
        User(InitFlags.WritebackCache, "writeback-cache", 23,
            "Collects buffered writes in the page cache; the kernel then trusts its own size and times."),
        User(InitFlags.NoOpenSupport, "no-open-support", 23,
            "Lets the file system answer OPEN by ENOSYS, after which none is sent any more."),
        User(InitFlags.ParallelDirops, "parallel-dirops", 25,
            "Sends LOOKUPs and READDIRs of one directory at once; off, one waits for the other."),
        User(InitFlags.HandleKillpriv, "handle-killpriv", 26,
            "Leaves it to the file system to clear set-id bits and capabilities on every write, chown and truncate."),
        User(InitFlags.PosixAcl, "posix-acl", 26, "Caches and enforces POSIX ACLs, and checks permissions as default_permissions does."),
        User(InitFlags.AbortError, "abort-error", 27, "Reads of the device after an abort fail by ECONNABORTED instead of ENODEV."),
        new(InitFlags.MaxPages, "max-pages", 28, InitFlagSetter.Session,
            "Lets messages carry more than 32 pages; max-write says how many."),
        User(InitFlags.CacheSymlinks, "cache-symlinks", 28, "Keeps targets of symbolic links in the page cache."),
        User(InitFlags.NoOpendirSupport, "no-opendir-support", 29,
            "Lets the file system answer OPENDIR by ENOSYS, after which none is sent any more."),
        User(InitFlags.ExplicitInvalData, "explicit-inval-data", 30,
            "Keeps cached data whatever mtime says, until a notification drops them."),
        new(InitFlags.MapAlignment, "map-alignment", 31, InitFlagSetter.Nobody, "Alignment of DAX mappings, which only virtiofs has."),
        new(InitFlags.Submounts, "submounts", 32, InitFlagSetter.Nobody, "Automatic mounts of directories, which only virtiofs has."),
        User(InitFlags.HandleKillprivV2, "handle-killpriv-v2", 33,
            "Leaves clearing set-id bits to the file system, which is told when by flags of WRITE, OPEN and SETATTR."),
        User(InitFlags.SetxattrExt, "setxattr-ext", 33, "Sends the longer SETXATTR, which says when an ACL clears the set-group-id bit."),
        new(InitFlags.InitExt, "init-ext", 36, InitFlagSetter.Session,
            "Makes the second word of flags count, in which all flags below travel."),
        new(InitFlags.InitReserved, "init-reserved", 36, InitFlagSetter.Nobody, "Reserved by the kernel."),
        User(InitFlags.SecurityCtx, "security-ctx", 36,
            "Sends the security label of a new file with the request that makes it. Needs 7.38."),
        new(InitFlags.HasInodeDax, "has-inode-dax", 36, InitFlagSetter.Nobody, "DAX by file, which only virtiofs has."),
        User(InitFlags.CreateSuppGroup, "create-supp-group", 38,
            "Sends the caller's supplementary group that matches the directory with requests that make files."),
        new(InitFlags.HasExpireOnly, "has-expire-only", 38, InitFlagSetter.Kernel,
            "Notifications can expire a name instead of dropping it."),
        User(InitFlags.DirectIoAllowMmap, "direct-io-allow-mmap", 39, "Allows shared mmap(2) of files opened FOPEN_DIRECT_IO."),
        User(InitFlags.Passthrough, "passthrough", 40,
            "Lets open files read and write a backing file without any message. Not with writeback-cache."),
        User(InitFlags.NoExportSupport, "no-export-support", 40, "Forbids exporting by NFS, so that no forgotten node is ever asked for."),
        new(InitFlags.HasResend, "has-resend", 40, InitFlagSetter.Kernel, "A notification can have unanswered requests sent again."),
        User(InitFlags.AllowIdmap, "allow-idmap", 41, "Allows id-mapped mounts of the file system. Needs default_permissions."),
        new(InitFlags.OverIoUring, "over-io-uring", 42, InitFlagSetter.Option,
            "Moves messages over io_uring; the channel io-uring asks for it."),
        new(InitFlags.RequestTimeout, "request-timeout", 43, InitFlagSetter.Option,
            "Aborts the connection when a request stays unanswered for longer than the request time-out."),
    ];

    private static InitFlagRow User(InitFlags flag, string name, int minor, string effect) =>
        new(flag, name, minor, InitFlagSetter.User, effect);
}
