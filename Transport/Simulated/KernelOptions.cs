using Harness.FuseProtocol.Wire;

namespace Harness.Transport.Simulated;

/// <summary>What a simulated kernel is set to before a mount: its release, and the settings an administrator has.</summary>
public sealed record KernelOptions
{
    /// <summary>The flags that Linux 6.18 offers in INIT (fs/fuse/inode.c, <c>fuse_new_init</c>), without DAX and SUBMOUNTS.</summary>
    public static InitFlags Linux618 { get; } =
        InitFlags.AsyncRead | InitFlags.PosixLocks | InitFlags.AtomicOTrunc | InitFlags.ExportSupport | InitFlags.BigWrites |
        InitFlags.DontMask | InitFlags.SpliceWrite | InitFlags.SpliceMove | InitFlags.SpliceRead | InitFlags.FlockLocks |
        InitFlags.HasIoctlDir | InitFlags.AutoInvalData | InitFlags.DoReaddirplus | InitFlags.ReaddirplusAuto | InitFlags.AsyncDio |
        InitFlags.WritebackCache | InitFlags.NoOpenSupport | InitFlags.ParallelDirops | InitFlags.HandleKillpriv | InitFlags.PosixAcl |
        InitFlags.AbortError | InitFlags.MaxPages | InitFlags.CacheSymlinks | InitFlags.NoOpendirSupport | InitFlags.ExplicitInvalData |
        InitFlags.HandleKillprivV2 | InitFlags.SetxattrExt | InitFlags.InitExt | InitFlags.SecurityCtx | InitFlags.CreateSuppGroup |
        InitFlags.HasExpireOnly | InitFlags.DirectIoAllowMmap | InitFlags.NoExportSupport | InitFlags.HasResend | InitFlags.AllowIdmap |
        InitFlags.OverIoUring | InitFlags.RequestTimeout;

    /// <summary>The flags that it offers in INIT.</summary>
    public InitFlags Offered { get; init; } = Linux618;

    /// <summary>The minor version of the protocol that it speaks.</summary>
    public uint Minor { get; init; } = 45;

    /// <summary>The readahead that it offers in INIT, in bytes (<c>VM_READAHEAD_PAGES</c>, include/linux/mm.h).</summary>
    public int ReadaheadBytes { get; init; } = 128 << 10;

    /// <summary>The most pages of a message (<c>/proc/sys/fs/fuse/max_pages_limit</c>).</summary>
    public int MaxPagesLimit { get; init; } = 256;

    /// <summary>Dirty bytes above which the flusher writes back (<c>dirty_background_ratio</c> of the memory there is).</summary>
    public long DirtyBackgroundBytes { get; init; } = 256L << 20;

    /// <summary>Dirty bytes above which writers wait for the flusher (<c>dirty_ratio</c>).</summary>
    public long DirtyLimitBytes { get; init; } = 512L << 20;

    /// <summary>How often the flusher looks for old dirty data, in nanoseconds (<c>dirty_writeback_centisecs</c>).</summary>
    public long FlushIntervalNanoseconds { get; init; } = 5_000_000_000;

    /// <summary>How old dirty data may become, in nanoseconds (<c>dirty_expire_centisecs</c>).</summary>
    public long DirtyExpireNanoseconds { get; init; } = 30_000_000_000;

    /// <summary>Whether link(2) looks at who may read and write the file (<c>/proc/sys/fs/protected_hardlinks</c>).</summary>
    public bool ProtectsHardLinks { get; init; } = true;

    /// <summary>Whether the mount has <c>default_permissions</c>, so that the kernel checks modes and owners itself.</summary>
    public bool DefaultPermissions { get; init; } = true;
}
