using Harness.Runtime.Native;
using Microsoft.Win32.SafeHandles;
using Mono.Unix.Native;

namespace Harness.Transport;

/// <summary>Opening and cloning <c>/dev/fuse</c>.</summary>
internal static class FuseDevice
{
    /// <summary>Where it is.</summary>
    public const string Path = "/dev/fuse";

    private const int ORdwrCloexec = 0x80002;
    private const int ONonblock = 0x800;

    // _IOR(229, 0, uint32_t)
    private const nuint IocClone = 0x8004E500;

    /// <summary>Opens the device; it belongs to no connection yet.</summary>
    /// <exception cref="FuseTransportException">There is none, or this process may not open it.</exception>
    public static SafeFileHandle Open() => Open(ORdwrCloexec);

    /// <summary>Opens several further fds of a connection.</summary>
    public static IReadOnlyList<SafeFileHandle> Clone(SafeFileHandle device, int count)
    {
        var clones = new List<SafeFileHandle>(count);
        try
        {
            while (clones.Count < count)
            {
                clones.Add(Clone(device));
            }

            return clones;
        }
        catch
        {
            clones.ForEach(clone => clone.Dispose());
            throw;
        }
    }

    /// <summary>Opens another fd of a connection, with a processing queue of its own (FUSE_DEV_IOC_CLONE).</summary>
    /// <remarks>A request read on it must be answered on it.</remarks>
    public static SafeFileHandle Clone(SafeFileHandle device) => Clone(device, Open());

    /// <summary>A clone whose reads do not wait but fail with EAGAIN when there is no request.</summary>
    public static SafeFileHandle CloneNonblocking(SafeFileHandle device) => Clone(device, Open(ORdwrCloexec | ONonblock));

    private static unsafe SafeFileHandle Clone(SafeFileHandle device, SafeFileHandle clone)
    {
        uint fd = (uint)device.DangerousGetHandle();
        if (Libc.Ioctl((int)clone.DangerousGetHandle(), IocClone, &fd) == 0)
        {
            return clone;
        }

        Errno error = Libc.LastErrno;
        clone.Dispose();
        throw new FuseTransportException($"Cloning the fd of {Path} failed: {error}. Choose the channel dev-fuse.");
    }

    private static SafeFileHandle Open(int flags)
    {
        int fd = Libc.Open(Path, flags, 0);
        if (fd >= 0)
        {
            return new SafeFileHandle(fd, ownsHandle: true);
        }

        throw new FuseTransportException(Libc.LastErrno switch
        {
            Errno.ENOENT => $"There is no {Path}: the kernel has no FUSE. Load it first: modprobe fuse",
            Errno.EACCES or Errno.EPERM => $"{Path} may not be opened: this user, container or sandbox must be given the device.",
            _ => $"Opening {Path} failed: {Libc.LastErrno}.",
        });
    }
}
