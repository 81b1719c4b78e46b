using System.Runtime.InteropServices;

namespace Harness.Runtime.Native;

/// <content>
/// Files by descriptor, and names relative to one. Paths are bytes ended by NUL; an empty path with AT_EMPTY_PATH names the descriptor's own
/// file. Where a call takes a directory as a number, it is AT_FDCWD or belongs to the caller alone.
/// </content>
internal static unsafe partial class Libc
{
    [LibraryImport(Library, EntryPoint = "openat", SetLastError = true)]
    public static partial int OpenAt(int directory, ReadOnlySpan<byte> path, int flags, uint mode);

    [LibraryImport(Library, EntryPoint = "openat", SetLastError = true)]
    public static partial int OpenAt(SafeHandle directory, ReadOnlySpan<byte> path, int flags, uint mode);

    [LibraryImport(Library, EntryPoint = "name_to_handle_at", SetLastError = true)]
    public static partial int NameToHandleAt(int directory, ReadOnlySpan<byte> path, Span<byte> handle, out int mountId, int flags);

    [LibraryImport(Library, EntryPoint = "open_by_handle_at", SetLastError = true)]
    public static partial int OpenByHandleAt(SafeHandle mount, ReadOnlySpan<byte> handle, int flags);

    [LibraryImport(Library, EntryPoint = "statx", SetLastError = true)]
    public static partial int Statx(int directory, ReadOnlySpan<byte> path, int flags, uint mask, out FileStatus status);

    [LibraryImport(Library, EntryPoint = "statx", SetLastError = true)]
    public static partial int Statx(SafeHandle directory, ReadOnlySpan<byte> path, int flags, uint mask, out FileStatus status);

    [LibraryImport(Library, EntryPoint = "fstatfs", SetLastError = true)]
    public static partial int Fstatfs(SafeHandle fd, out FileSystemStatus status);

    [LibraryImport(Library, EntryPoint = "mkdirat", SetLastError = true)]
    public static partial int MkdirAt(SafeHandle directory, ReadOnlySpan<byte> path, uint mode);

    [LibraryImport(Library, EntryPoint = "mknodat", SetLastError = true)]
    public static partial int MknodAt(SafeHandle directory, ReadOnlySpan<byte> path, uint mode, ulong device);

    [LibraryImport(Library, EntryPoint = "symlinkat", SetLastError = true)]
    public static partial int SymlinkAt(ReadOnlySpan<byte> target, SafeHandle directory, ReadOnlySpan<byte> path);

    [LibraryImport(Library, EntryPoint = "linkat", SetLastError = true)]
    public static partial int LinkAt(int oldDirectory, ReadOnlySpan<byte> oldPath, SafeHandle newDirectory, ReadOnlySpan<byte> newPath, int flags);

    [LibraryImport(Library, EntryPoint = "unlinkat", SetLastError = true)]
    public static partial int UnlinkAt(SafeHandle directory, ReadOnlySpan<byte> path, int flags);

    [LibraryImport(Library, EntryPoint = "renameat2", SetLastError = true)]
    public static partial int RenameAt2(
        SafeHandle oldDirectory, ReadOnlySpan<byte> oldPath, SafeHandle newDirectory, ReadOnlySpan<byte> newPath, uint flags);

    [LibraryImport(Library, EntryPoint = "readlinkat", SetLastError = true)]
    private static partial nint ReadlinkAt(SafeHandle directory, ReadOnlySpan<byte> path, Span<byte> buffer, nuint size);

    /// <summary>readlinkat(2) into the whole of a buffer.</summary>
    public static nint ReadlinkAt(SafeHandle directory, ReadOnlySpan<byte> path, Span<byte> buffer) =>
        ReadlinkAt(directory, path, buffer, (nuint)buffer.Length);

    [LibraryImport(Library, EntryPoint = "chmod", SetLastError = true)]
    public static partial int Chmod(ReadOnlySpan<byte> path, uint mode);

    [LibraryImport(Library, EntryPoint = "fchownat", SetLastError = true)]
    public static partial int FchownAt(SafeHandle directory, ReadOnlySpan<byte> path, uint uid, uint gid, int flags);

    [LibraryImport(Library, EntryPoint = "truncate", SetLastError = true)]
    public static partial int Truncate(ReadOnlySpan<byte> path, long size);

    [LibraryImport(Library, EntryPoint = "ftruncate", SetLastError = true)]
    public static partial int Ftruncate(SafeHandle fd, long size);

    /// <param name="directory">Where <paramref name="path"/> starts.</param>
    /// <param name="path">The file.</param>
    /// <param name="times">Two: of the last access and of the last change.</param>
    /// <param name="flags">AT_SYMLINK_NOFOLLOW.</param>
    [LibraryImport(Library, EntryPoint = "utimensat", SetLastError = true)]
    public static partial int UtimensAt(int directory, ReadOnlySpan<byte> path, ReadOnlySpan<TimeSpec> times, int flags);

    [LibraryImport(Library, EntryPoint = "pread", SetLastError = true)]
    private static partial nint Pread(SafeHandle fd, Span<byte> buffer, nuint count, long offset);

    /// <summary>pread(2) into the whole of a buffer.</summary>
    public static nint Pread(SafeHandle fd, Span<byte> buffer, long offset) => Pread(fd, buffer, (nuint)buffer.Length, offset);

    [LibraryImport(Library, EntryPoint = "pwrite", SetLastError = true)]
    private static partial nint Pwrite(SafeHandle fd, ReadOnlySpan<byte> data, nuint count, long offset);

    /// <summary>pwrite(2) of the whole of some data.</summary>
    public static nint Pwrite(SafeHandle fd, ReadOnlySpan<byte> data, long offset) => Pwrite(fd, data, (nuint)data.Length, offset);

    [LibraryImport(Library, EntryPoint = "pwritev2", SetLastError = true)]
    public static partial nint Pwritev2(SafeHandle fd, Iovec* iov, int count, long offset, int flags);

    [LibraryImport(Library, EntryPoint = "preadv2", SetLastError = true)]
    public static partial nint Preadv2(SafeHandle fd, Iovec* iov, int count, long offset, int flags);

    /// <summary>Writes at the end of the file, wherever that is, without O_APPEND on the descriptor (pwritev2(2), RWF_APPEND).</summary>
    public static nint PwriteAppend(SafeHandle fd, ReadOnlySpan<byte> data)
    {
        const int RwfAppend = 0x10;
        fixed (byte* bytes = data)
        {
            var iov = new Iovec { Base = bytes, Length = (nuint)data.Length };
            return Pwritev2(fd, &iov, 1, 0, RwfAppend);
        }
    }

    [LibraryImport(Library, EntryPoint = "lseek", SetLastError = true)]
    public static partial long Lseek(SafeHandle fd, long offset, int whence);

    [LibraryImport(Library, EntryPoint = "fallocate", SetLastError = true)]
    public static partial int Fallocate(SafeHandle fd, int mode, long offset, long length);

    [LibraryImport(Library, EntryPoint = "copy_file_range", SetLastError = true)]
    public static partial nint CopyFileRange(SafeHandle from, ref long offset, SafeHandle to, ref long newOffset, nuint length, uint flags);

    [LibraryImport(Library, EntryPoint = "fsync", SetLastError = true)]
    public static partial int Fsync(SafeHandle fd);

    [LibraryImport(Library, EntryPoint = "fdatasync", SetLastError = true)]
    public static partial int Fdatasync(SafeHandle fd);

    [LibraryImport(Library, EntryPoint = "syncfs", SetLastError = true)]
    public static partial int Syncfs(SafeHandle fd);

    [LibraryImport(Library, EntryPoint = "ioctl", SetLastError = true)]
    public static partial int Ioctl(SafeHandle fd, nuint request, void* argument);

    [LibraryImport(Library, EntryPoint = "fcntl", SetLastError = true)]
    public static partial int Fcntl(SafeHandle fd, int command, nint argument);

    [LibraryImport(Library, EntryPoint = "getdents64", SetLastError = true)]
    private static partial nint Getdents64(SafeHandle fd, Span<byte> buffer, nuint size);

    /// <summary>getdents64(2) into the whole of a buffer.</summary>
    public static nint Getdents64(SafeHandle fd, Span<byte> buffer) => Getdents64(fd, buffer, (nuint)buffer.Length);

    [LibraryImport(Library, EntryPoint = "getxattr", SetLastError = true)]
    private static partial nint Getxattr(ReadOnlySpan<byte> path, ReadOnlySpan<byte> name, Span<byte> value, nuint size);

    /// <summary>getxattr(2); an empty buffer asks for the size.</summary>
    public static nint Getxattr(ReadOnlySpan<byte> path, ReadOnlySpan<byte> name, Span<byte> value) =>
        Getxattr(path, name, value, (nuint)value.Length);

    [LibraryImport(Library, EntryPoint = "setxattr", SetLastError = true)]
    private static partial int Setxattr(ReadOnlySpan<byte> path, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, nuint size, int flags);

    /// <summary>setxattr(2) to the whole of a value.</summary>
    public static int Setxattr(ReadOnlySpan<byte> path, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, int flags) =>
        Setxattr(path, name, value, (nuint)value.Length, flags);

    [LibraryImport(Library, EntryPoint = "listxattr", SetLastError = true)]
    private static partial nint Listxattr(ReadOnlySpan<byte> path, Span<byte> list, nuint size);

    /// <summary>listxattr(2); an empty buffer asks for the size.</summary>
    public static nint Listxattr(ReadOnlySpan<byte> path, Span<byte> list) => Listxattr(path, list, (nuint)list.Length);

    [LibraryImport(Library, EntryPoint = "removexattr", SetLastError = true)]
    public static partial int Removexattr(ReadOnlySpan<byte> path, ReadOnlySpan<byte> name);
}
