using Mono.Unix.Native;

namespace Harness.FuseProtocol;

/// <summary>
/// The files of this process that the kernel may read and write itself, without a message (FUSE passthrough,
/// Documentation/filesystems/fuse/fuse-passthrough.rst). A file system gets it from whoever mounts it, since only a device has it.
/// </summary>
/// <remarks>Thread-safe.</remarks>
public interface IBackingFiles
{
    /// <summary>Registers an open regular file (BACKING_OPEN). The kernel keeps it open by itself; the descriptor may be closed.</summary>
    /// <param name="fd">The file's descriptor.</param>
    /// <returns>
    /// The number for <c>backing_id</c> in an OPEN reply; EPERM without CAP_SYS_ADMIN or where PASSTHROUGH was not agreed, ELOOP if its file
    /// system is stacked already.
    /// </returns>
    Result<int> Open(int fd);

    /// <summary>Takes a registration back (BACKING_CLOSE). Files that were opened with it go on.</summary>
    /// <param name="id">What <see cref="Open"/> returned.</param>
    /// <returns>ENOENT if there is no such registration.</returns>
    Errno Close(int id);
}
