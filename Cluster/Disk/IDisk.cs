using Harness.FuseProtocol;
using Mono.Unix.Native;

namespace Harness.Cluster.Disk;

/// <summary>How a file is opened.</summary>
internal enum OpenMode
{
    /// <summary>It must exist (ENOENT).</summary>
    Existing,

    /// <summary>It is made if it does not exist.</summary>
    Create,

    /// <summary>It must not exist (EEXIST).</summary>
    CreateNew,
}

/// <summary>How full a disk is.</summary>
/// <param name="TotalBytes">Its size.</param>
/// <param name="FreeBytes">What can still be written.</param>
/// <param name="FreeFiles">Files that can still be made.</param>
internal readonly record struct DiskSpace(long TotalBytes, long FreeBytes, long FreeFiles)
{
    /// <summary>Whether an error says that the disk has no room for bytes or files: it goes on when there is some again.</summary>
    public static bool IsLacking(Errno error) => error is Errno.ENOSPC or Errno.EDQUOT;

    /// <summary>
    /// How a flush has ended: one that fails for want of room cannot be tried again, since the page cache no longer has what it could not write (fsync(2),
    /// "EIO").
    /// </summary>
    public static Errno Flushed(Errno error) => IsLacking(error) ? Errno.EIO : error;
}

/// <summary>A directory of plain files, for one loop: tasks complete on it. Real side <see cref="RealDisk"/>, simulated side <see cref="SimDisk"/>.</summary>
/// <remarks>
/// Names are relative, with <c>/</c> between directories. What was written survives the process at once, and a power cut once the file was
/// synced; a name that was made, changed or removed survives a power cut once its directory was synced (fsync(2)).
/// </remarks>
internal interface IDisk
{
    /// <summary>Opens a file for reading and writing.</summary>
    ValueTask<Result<IDiskFile>> Open(string name, OpenMode mode);

    /// <summary>Makes a directory; one that exists already is no error.</summary>
    ValueTask<Errno> CreateDirectory(string name);

    /// <summary>Renames a file over another, in one step.</summary>
    ValueTask<Errno> Rename(string from, string to);

    /// <summary>Removes a file; who has it open keeps it until then.</summary>
    ValueTask<Errno> Delete(string name);

    /// <summary>The names of the files in a directory, without its own, sorted; an empty name is the root.</summary>
    ValueTask<Result<IReadOnlyList<string>>> List(string directory);

    /// <summary>Makes the names in a directory survive a power cut.</summary>
    ValueTask<Errno> SyncDirectory(string directory);

    /// <summary>Makes everything that was written to any file, and all names, survive a power cut (syncfs(2)): for many files at once.</summary>
    ValueTask<Errno> SyncAll();

    /// <summary>How full it is.</summary>
    Result<DiskSpace> Space();
}

/// <summary>An open file. Disposing closes it.</summary>
/// <remarks>Calls may overlap; what overlapping calls on the same bytes see of each other is undefined. Buffers must stay until a call ends.</remarks>
internal interface IDiskFile : IDisposable
{
    /// <summary>Its size in bytes.</summary>
    long Length { get; }

    /// <summary>Reads up to the buffer's length; fewer bytes at the end of the file.</summary>
    /// <returns>Bytes read, or EIO.</returns>
    ValueTask<Result<int>> Read(long offset, Memory<byte> buffer);

    /// <summary>Writes all of <paramref name="data"/>, lengthening the file where needed.</summary>
    /// <returns>ENOSPC or EIO; then any part may have been written.</returns>
    ValueTask<Errno> Write(long offset, ReadOnlyMemory<byte> data);

    /// <summary>Writes two pieces one behind the other, in one call.</summary>
    ValueTask<Errno> Write(long offset, ReadOnlyMemory<byte> first, ReadOnlyMemory<byte> second);

    /// <summary>
    /// Writes what nobody will read soon: it survives the process as all else does, but leaves the page cache once the device has it, whither it goes
    /// at once.
    /// </summary>
    ValueTask<Errno> WriteUncached(long offset, ReadOnlyMemory<byte> data);

    /// <summary>Makes what was written before, and the size, survive a power cut (fdatasync(2)).</summary>
    ValueTask<Errno> Sync();

    /// <summary>Sets the size; new bytes are zero.</summary>
    ValueTask<Errno> Truncate(long length);

    /// <summary>Makes bytes zero and gives their space back; the size stays.</summary>
    ValueTask<Errno> PunchHole(long offset, long length);
}
