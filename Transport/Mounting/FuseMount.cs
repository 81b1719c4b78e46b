using Harness.FuseProtocol;
using Harness.Runtime.Native;
using Microsoft.Win32.SafeHandles;
using Mono.Unix.Native;

namespace Harness.Transport.Mounting;

/// <summary>A mounted FUSE file system: the device fd of its connection, and how to end it.</summary>
/// <remarks>Mounts by mount(2) as root and by fusermount3(1) otherwise. Owns the device fd; closing it ends the connection.</remarks>
public sealed class FuseMount : IDisposable
{
    private const int MntDetach = 2;

    private FuseMount(string mountPoint, SafeFileHandle device, uint connection)
    {
        MountPoint = mountPoint;
        Device = device;
        Connection = connection;
        Notifications = new DeviceNotifications(device);
    }

    /// <summary>Absolute path of the mount point.</summary>
    public string MountPoint { get; }

    /// <summary>The connection's device fd.</summary>
    public SafeFileHandle Device { get; }

    /// <summary>Files that the kernel may read and write itself.</summary>
    public IBackingFiles BackingFiles => new BackingFiles(Device);

    /// <summary>The connection's number under <c>/sys/fs/fuse/connections</c>.</summary>
    public uint Connection { get; }

    /// <summary>What carries notifications to the kernel.</summary>
    public INotificationSink Notifications { get; }

    /// <summary>Mounts. The kernel sends INIT at once, so a channel must run before anybody touches the mount point.</summary>
    /// <exception cref="FuseTransportException">No device, no permission, or a mount point that is missing, no directory, or mounted already.</exception>
    public static FuseMount Create(string mountPoint, MountOptions options)
    {
        string path = CheckMountPoint(mountPoint, options.NonEmpty);
        SafeFileHandle device = Libc.IsRoot ? MountAsRoot(path, options) : Fusermount.Mount(path, options);
        return new FuseMount(path, device, MountTable.Find(path)?.DeviceMinor ?? 0);
    }

    /// <summary>Opens further fds of the connection, each with a processing queue of its own. They are the caller's.</summary>
    /// <exception cref="FuseTransportException">The kernel does not.</exception>
    public IReadOnlyList<SafeFileHandle> CloneDevice(int count) => FuseDevice.Clone(Device, count);

    /// <summary>The connection of a mount that another process made, by its device, which this object owns from now on.</summary>
    public static FuseMount Adopt(string mountPoint, SafeFileHandle device)
    {
        string path = Path.TrimEndingDirectorySeparator(mountPoint);
        return new FuseMount(path, device, MountTable.Find(path)?.DeviceMinor ?? 0);
    }

    /// <summary>
    /// Unmounts. Open files keep a lazily unmounted file system alive: if some are, the mount point is free at once, and the connection ends
    /// when they are closed or when this process ends.
    /// </summary>
    /// <returns>Whether nothing was open, so that the connection has ended.</returns>
    public bool Unmount() => Unmount(MountPoint);

    /// <summary>Unmounts whatever FUSE file system is at <paramref name="mountPoint"/>, dead or alive.</summary>
    /// <returns>Whether nothing was open.</returns>
    /// <exception cref="FuseTransportException">Nothing is mounted there, or this user may not unmount it.</exception>
    public static bool Unmount(string mountPoint)
    {
        if (!Libc.IsRoot)
        {
            return Fusermount.Unmount(mountPoint);
        }

        if (Libc.Umount2(mountPoint, 0) == 0)
        {
            return true;
        }

        if (Libc.LastErrno == Errno.EBUSY && Libc.Umount2(mountPoint, MntDetach) == 0)
        {
            return false;
        }

        throw new FuseTransportException($"Unmounting {mountPoint} failed: {Libc.LastErrno}.");
    }

    /// <summary>Ends the connection by force: whoever waits for it gets ECONNABORTED.</summary>
    /// <returns>Whether there was a way to: fusectl is mounted, and the connection still there.</returns>
    public bool TryAbort() => FuseControl.TryAbort(Connection);

    /// <summary>Closes the device. Does not unmount.</summary>
    public void Dispose() => Device.Dispose();

    private static string CheckMountPoint(string mountPoint, bool mayHide)
    {
        string path = Path.TrimEndingDirectorySeparator(Path.GetFullPath(mountPoint));
        if (MountTable.Find(path) is MountEntry { Type: string type } && type.StartsWith("fuse", StringComparison.Ordinal))
        {
            // Looked up before the directory is touched, which on a dead mount would fail and on a hung one would hang.
            throw new FuseTransportException(
                $"Something of type {type} is mounted at {path} already. Unmount it first: ./harness unmount {path}");
        }

        if (File.Exists(path))
        {
            throw new FuseTransportException($"The mount point {path} is a file. Name a directory.");
        }

        if (!Directory.Exists(path))
        {
            throw new FuseTransportException($"The mount point {path} does not exist. Make it first: mkdir -p {path}");
        }

        if (!mayHide && Directory.EnumerateFileSystemEntries(path).Any())
        {
            throw new FuseTransportException($"The mount point {path} is not empty, and the mount would hide what is in it. Choose another, or say nonempty.");
        }

        return path;
    }

    private static SafeFileHandle MountAsRoot(string path, MountOptions options)
    {
        SafeFileHandle device = FuseDevice.Open();
        string data = $"fd={device.DangerousGetHandle()},rootmode=40000,user_id=0,group_id=0{OptionText(options)}";
        if (Libc.Mount(options.FsName, path, $"fuse.{options.Subtype}", (nuint)options.Flags, data) == 0)
        {
            return device;
        }

        Errno error = Libc.LastErrno;
        device.Dispose();
        throw new FuseTransportException(error is Errno.EPERM or Errno.EACCES
            ? $"Mounting on {path} is not permitted: this container needs CAP_SYS_ADMIN."
            : $"Mounting on {path} failed: {error} (options {data}).");
    }

    private static string OptionText(MountOptions options)
    {
        string text = options.DefaultPermissions ? ",default_permissions" : string.Empty;
        text += options.AllowOther ?? true ? ",allow_other" : string.Empty;
        return options.MaxRead > 0 ? $"{text},max_read={options.MaxRead}" : text;
    }
}
