namespace Harness.Transport.Mounting;

/// <summary>What the kernel is told of a mount before INIT (mount.fuse3(8)).</summary>
public sealed record MountOptions
{
    /// <summary>What stands in the first column of <c>/proc/mounts</c> (default <c>harness</c>).</summary>
    public string FsName { get; init; } = "harness";

    /// <summary>What stands behind <c>fuse.</c> in the type (default <c>harness</c>).</summary>
    public string Subtype { get; init; } = "harness";

    /// <summary>Whether other users than the one who mounts may use the mount (default: yes for root, no otherwise).</summary>
    public bool? AllowOther { get; init; }

    /// <summary>Whether the kernel checks permissions by mode, owner and ACL (default yes); otherwise the file system is asked by ACCESS.</summary>
    public bool DefaultPermissions { get; init; } = true;

    /// <summary>Largest READ in bytes; 0 leaves it to the message size.</summary>
    public int MaxRead { get; init; }

    /// <summary>The mount's flags (default: set-id bits and device files mean nothing).</summary>
    public MountFlags Flags { get; init; } = MountFlags.NoSuid | MountFlags.NoDev;

    /// <summary>Whether the mount may hide what is in the directory (default no).</summary>
    public bool NonEmpty { get; init; }
}
