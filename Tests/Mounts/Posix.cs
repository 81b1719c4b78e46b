using Harness.Runtime.Native;
using Mono.Unix.Native;

namespace Harness.Tests.Mounts;

/// <summary>System calls that answer with an errno, 0 for success; where a value is wanted, failure ends the test.</summary>
internal static unsafe class Posix
{
    public const Errno Success = 0;

    public const int ReadOnly = FileFlags.ReadOnly;
    public const int WriteOnly = FileFlags.WriteOnly;
    public const int ReadWrite = FileFlags.ReadWrite;
    public const int Creating = FileFlags.Create;
    public const int Exclusive = FileFlags.Exclusive;
    public const int Truncating = FileFlags.Truncate;
    public const int Appending = FileFlags.Append;

    public const uint SetUid = 0x800;
    public const uint SetGid = 0x400;
    public const uint Sticky = 0x200;
    public const uint Permissions = 0xFFF;

    public const int SeekData = 3;
    public const int SeekHole = 4;

    public const int KeepSize = 1;
    public const int PunchHole = 2;
    public const int ZeroRange = 16;

    /// <summary>Asserts success.</summary>
    public static void Ok(Errno error) => Assert.Equal(Success, error);

    /// <summary>Opens a file; the test closes it.</summary>
    public static OpenedFile Open(string path, int flags, uint mode = 0x1A4)
    {
        int fd = PosixNative.Open(path, flags | FileFlags.CloseOnExec, mode);
        Assert.True(fd >= 0, $"open({path}, 0x{flags:x}): {Libc.LastErrno}");
        return new OpenedFile(fd);
    }

    /// <summary>Opens a file and closes it again.</summary>
    public static Errno TryOpen(string path, int flags, uint mode = 0x1A4)
    {
        int fd = PosixNative.Open(path, flags | FileFlags.CloseOnExec, mode);
        return fd < 0 ? Libc.LastErrno : Errnos(PosixNative.Close(fd));
    }

    /// <summary>Makes a file with this text.</summary>
    public static void Write(string path, string text = "", uint mode = 0x1A4)
    {
        using OpenedFile file = Open(path, WriteOnly | Creating | Truncating, mode);
        Assert.Equal(System.Text.Encoding.UTF8.GetByteCount(text), file.Write(text));
    }

    public static string Read(string path)
    {
        using OpenedFile file = Open(path, ReadOnly);
        return file.Read(0, 1 << 16);
    }

    public static Errno Mkdir(string path, uint mode = 0x1ED) => Errnos(PosixNative.Mkdir(path, mode));

    public static Errno Mknod(string path, uint mode, ulong device = 0) => Errnos(PosixNative.Mknod(path, mode, device));

    public static Errno Symlink(string target, string path) => Errnos(PosixNative.Symlink(target, path));

    public static string Readlink(string path)
    {
        byte* buffer = stackalloc byte[4096];
        nint length = PosixNative.Readlink(path, buffer, 4096);
        Assert.True(length >= 0, $"readlink({path}): {Libc.LastErrno}");
        return System.Text.Encoding.UTF8.GetString(buffer, (int)length);
    }

    public static Errno Link(string path, string newPath) => Errnos(PosixNative.Link(path, newPath));

    public static Errno Unlink(string path) => Errnos(PosixNative.Unlink(path));

    public static Errno Rmdir(string path) => Errnos(PosixNative.Rmdir(path));

    public static Errno Rename(string path, string newPath, uint flags = 0) =>
        Errnos(PosixNative.RenameAt2(FileFlags.AtFdcwd, path, FileFlags.AtFdcwd, newPath, flags));

    public static Errno Chmod(string path, uint mode) => Errnos(PosixNative.Chmod(path, mode));

    public static Errno Chown(string path, uint uid, uint gid) => Errnos(PosixNative.Lchown(path, uid, gid));

    public static Errno Truncate(string path, long size) => Errnos(PosixNative.Truncate(path, size));

    public static Errno Access(string path, int mode) => Errnos(PosixNative.Access(path, mode));

    /// <summary>Sets the times of last access and of last change.</summary>
    public static Errno Utimens(string path, TimeSpec atime, TimeSpec mtime, int flags = FileFlags.AtSymlinkNofollow)
    {
        TimeSpec* times = stackalloc TimeSpec[2];
        times[0] = atime;
        times[1] = mtime;
        return Errnos(PosixNative.UtimensAt(FileFlags.AtFdcwd, path, times, flags));
    }

    public static Errno TryStat(string path, out FileStatus status)
    {
        fixed (FileStatus* read = &status)
        {
            return Errnos(PosixNative.Statx(FileFlags.AtFdcwd, path, FileFlags.AtSymlinkNofollow, FileStatus.All, read));
        }
    }

    /// <summary>The status of a file, or of the symbolic link itself.</summary>
    public static FileStatus Stat(string path)
    {
        Errno error = TryStat(path, out FileStatus status);
        Assert.True(error == Success, $"stat({path}): {error}");
        return status;
    }

    /// <summary>The permissions and the bits besides them.</summary>
    public static uint ModeOf(string path) => Stat(path).Mode & Permissions;

    public static Errno Setxattr(string path, string name, ReadOnlySpan<byte> value, int flags = 0)
    {
        fixed (byte* bytes = value)
        {
            return Errnos(PosixNative.Setxattr(path, name, bytes, (nuint)value.Length, flags));
        }
    }

    /// <summary>Reads an attribute into <paramref name="buffer"/>; empty asks for the size.</summary>
    public static Errno Getxattr(string path, string name, Span<byte> buffer, out int length)
    {
        fixed (byte* bytes = buffer)
        {
            length = (int)PosixNative.Getxattr(path, name, bytes, (nuint)buffer.Length);
            return Errnos(length);
        }
    }

    public static byte[] Getxattr(string path, string name)
    {
        byte[] buffer = new byte[65536];
        Errno error = Getxattr(path, name, buffer, out int length);
        Assert.True(error == Success, $"getxattr({path}, {name}): {error}");
        return buffer[..length];
    }

    public static Errno Listxattr(string path, Span<byte> buffer, out int length)
    {
        fixed (byte* bytes = buffer)
        {
            length = (int)PosixNative.Listxattr(path, bytes, (nuint)buffer.Length);
            return Errnos(length);
        }
    }

    /// <summary>The names of a file's attributes, sorted, without those that a security module gives to every file.</summary>
    public static string[] Listxattr(string path)
    {
        byte[] buffer = new byte[65536];
        Ok(Listxattr(path, buffer, out int length));
        return [.. System.Text.Encoding.UTF8.GetString(buffer, 0, length).Split('\0', StringSplitOptions.RemoveEmptyEntries)
            .Where(name => name != "security.selinux").Order(StringComparer.Ordinal)];
    }

    public static Errno Removexattr(string path, string name) => Errnos(PosixNative.Removexattr(path, name));

    /// <summary>The names in a directory, in its own order, without <c>.</c> and <c>..</c>.</summary>
    public static List<string> List(string path)
    {
        using OpenedFile directory = Open(path, ReadOnly | FileFlags.Directory);
        return [.. directory.ReadDirectory().Where(name => name is not ("." or ".."))];
    }

    /// <summary>errno where a call has returned −1.</summary>
    public static Errno Errnos(long result) => result < 0 ? Libc.LastErrno : Success;
}
