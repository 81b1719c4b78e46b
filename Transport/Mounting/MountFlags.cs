namespace Harness.Transport.Mounting;

/// <summary>Flags of mount(2) that a FUSE mount can have (include/uapi/linux/mount.h).</summary>
[Flags]
public enum MountFlags : uint
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>No writes (<c>ro</c>).</summary>
    ReadOnly = 1,

    /// <summary>Set-id bits mean nothing (<c>nosuid</c>).</summary>
    NoSuid = 2,

    /// <summary>Device files cannot be opened (<c>nodev</c>).</summary>
    NoDev = 4,

    /// <summary>Nothing can be executed (<c>noexec</c>).</summary>
    NoExec = 8,

    /// <summary>Writes are synchronous (<c>sync</c>).</summary>
    Synchronous = 16,

    /// <summary>Directory changes are synchronous (<c>dirsync</c>).</summary>
    DirSync = 128,

    /// <summary>Symbolic links are not followed (<c>nosymfollow</c>).</summary>
    NoSymFollow = 256,

    /// <summary>Reading does not change the time of access (<c>noatime</c>).</summary>
    NoAtime = 1024,

    /// <summary>The same for directories alone (<c>nodiratime</c>).</summary>
    NoDirAtime = 2048,

    /// <summary>Reading changes the time of access if it was older than the last change (<c>relatime</c>).</summary>
    RelAtime = 1 << 21,

    /// <summary>Reading always changes the time of access (<c>strictatime</c>).</summary>
    StrictAtime = 1 << 24,

    /// <summary>Times are written late (<c>lazytime</c>).</summary>
    LazyTime = 1 << 25,
}
