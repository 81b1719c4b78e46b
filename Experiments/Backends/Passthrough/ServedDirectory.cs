using System.Text;
using Harness.Runtime.Native;
using Harness.Transport;
using Mono.Unix.Native;

namespace Harness.Experiments.Backends.Passthrough;

/// <summary>Opens the directory that is to be served, and makes sure that serving it ends.</summary>
internal static class ServedDirectory
{
    /// <summary>Opens it.</summary>
    /// <param name="directory">Its path.</param>
    /// <param name="mountPoint">Where it will be mounted; null for nowhere.</param>
    /// <exception cref="FuseTransportException">There is none, it may not be read, or the mount point lies in it.</exception>
    public static FileDescriptor Open(string directory, string? mountPoint)
    {
        string path = Path.GetFullPath(directory);
        int fd = Open(path);
        if (fd < 0)
        {
            throw new FuseTransportException(Libc.LastErrno switch
            {
                Errno.ENOENT => $"The directory to serve, {path}, does not exist. Make it first: mkdir -p {path}",
                Errno.ENOTDIR => $"What is to be served, {path}, is no directory. Name a directory.",
                Errno.EACCES => $"The directory to serve, {path}, may not be read by this user.",
                _ => $"Opening the directory to serve, {path}, failed: {Libc.LastErrno}.",
            });
        }

        var opened = new FileDescriptor(fd);
        if (mountPoint is not null && Contains(RealPath(opened), mountPoint))
        {
            opened.Dispose();
            throw new FuseTransportException(
                $"The mount point {mountPoint} lies inside the directory to serve, {path}: whoever walked there would wait for ever. " +
                "Mount it elsewhere; the directory itself can be mounted over.");
        }

        return opened;
    }

    /// <summary>Opens the directory again, by O_PATH.</summary>
    public static int OpenPath(FileDescriptor opened, out FileStatus status)
    {
        using var path = new DescriptorPath(opened);
        int fd = Libc.OpenAt(FileFlags.AtFdcwd, path.Text, FileFlags.Path | FileFlags.CloseOnExec, 0);
        _ = Libc.Statx(fd, "\0"u8, FileFlags.AtEmptyPath, FileStatus.All, out status);
        return fd;
    }

    /// <summary>Opens a directory that is known by O_PATH.</summary>
    /// <exception cref="FuseTransportException">It may not be read any more.</exception>
    public static FileDescriptor Reopen(int opened)
    {
        int fd = Libc.OpenAt(opened, ".\0"u8, FileFlags.Directory | FileFlags.CloseOnExec, 0);
        return fd >= 0 ? new FileDescriptor(fd) : throw new FuseTransportException($"Opening the served directory again failed: {Libc.LastErrno}.");
    }

    private static int Open(string path) => Libc.OpenAt(
        FileFlags.AtFdcwd, Encoding.UTF8.GetBytes(path + "\0"), FileFlags.Directory | FileFlags.CloseOnExec, 0);

    private static bool Contains(string served, string mountPoint)
    {
        int fd = Open(Path.GetFullPath(mountPoint));
        if (fd < 0)
        {
            // There is nothing to mount on: the mount will say so.
            return false;
        }

        using var opened = new FileDescriptor(fd);
        return RealPath(opened).StartsWith(served == "/" ? served : served + "/", StringComparison.Ordinal);
    }

    private static string RealPath(FileDescriptor opened)
    {
        using var path = new DescriptorPath(opened);
        return Path.TrimEndingDirectorySeparator(new DirectoryInfo(Encoding.UTF8.GetString(path.Text).TrimEnd('\0')).LinkTarget!);
    }
}
