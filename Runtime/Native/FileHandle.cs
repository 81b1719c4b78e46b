using System.Buffers.Binary;

namespace Harness.Runtime.Native;

/// <summary>
/// A file's name for its file system, by which it is found again without a path and without having been kept open (name_to_handle_at(2)):
/// inode number and generation, mostly, so that it never names another file that gets the same number later.
/// </summary>
internal sealed class FileHandle
{
    // struct file_handle: size of the handle, its type, and at most MAX_HANDLE_SZ bytes of it (include/linux/exportfs.h).
    private const int HeaderBytes = 8;
    private const int BytesMax = 128;

    private readonly byte[] _bytes;

    private FileHandle(byte[] bytes) => _bytes = bytes;

    /// <summary>The handle, to be kept elsewhere.</summary>
    public ReadOnlySpan<byte> Bytes => _bytes;

    /// <summary>The handle that was kept elsewhere.</summary>
    public static FileHandle From(ReadOnlySpan<byte> bytes) => new(bytes.ToArray());

    /// <summary>The handle of an open file.</summary>
    /// <param name="fd">The file, by O_PATH or otherwise.</param>
    /// <returns>Null if its file system has no handles.</returns>
    public static FileHandle? Of(int fd)
    {
        Span<byte> buffer = stackalloc byte[HeaderBytes + BytesMax];
        BinaryPrimitives.WriteInt32LittleEndian(buffer, BytesMax);
        return Libc.NameToHandleAt(fd, "\0"u8, buffer, out _, FileFlags.AtEmptyPath) == 0
            ? new FileHandle(buffer[..(HeaderBytes + BinaryPrimitives.ReadInt32LittleEndian(buffer))].ToArray())
            : null;
    }

    /// <summary>Opens the file by O_PATH, which needs CAP_DAC_READ_SEARCH.</summary>
    /// <param name="mount">Any open file of the same file system; not by O_PATH.</param>
    /// <returns>A descriptor; −1 and ESTALE if the file is gone.</returns>
    public int Open(FileDescriptor mount) =>
        Libc.OpenByHandleAt(mount, _bytes, FileFlags.Path | FileFlags.NoFollow | FileFlags.CloseOnExec);

    /// <summary>Whether both name the same file.</summary>
    public bool Names(FileHandle other) => _bytes.AsSpan().SequenceEqual(other._bytes);
}
