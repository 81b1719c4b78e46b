using Harness.FuseProtocol;
using Harness.Runtime.Native;
using Mono.Unix.Native;

namespace Harness.Experiments.Backends.Passthrough;

/// <summary>Which file of the host a node is.</summary>
/// <param name="Device">Its file system (<c>st_dev</c>).</param>
/// <param name="Ino">Its inode number there, which no other file gets while this one is kept open.</param>
internal readonly record struct NodeKey(ulong Device, ulong Ino)
{
    /// <summary>The file that a status belongs to.</summary>
    public static NodeKey Of(in FileStatus status) => new(status.Device, status.Ino);
}

/// <summary>A file of the host that the kernel knows by a node id: found again whatever its names become.</summary>
/// <remarks>Owned by its <see cref="NodeTable"/>, which closes it when the kernel has forgotten it.</remarks>
internal sealed class Node(ulong id, NodeKey key, uint mode)
{
    private readonly Lock _backingGate = new();
    private int _backingOpens;
    private int _backingId;

    /// <summary>Its node id, never given to another.</summary>
    public ulong Id { get; } = id;

    /// <summary>The file.</summary>
    public NodeKey Key { get; } = key;

    /// <summary>The type of the file, which never changes.</summary>
    public FilePermissions Type { get; } = (FilePermissions)mode & FilePermissions.S_IFMT;

    /// <summary>How often the kernel was told of it and has not forgotten it. Guarded by the table's lock.</summary>
    public ulong Lookups { get; set; }

    /// <summary>The file, open by O_PATH, so that its inode number stays its own; null if it is to be opened by <see cref="Handle"/>.</summary>
    public FileDescriptor? Descriptor { get; set; }

    /// <summary>The file's handle, where it is not kept open.</summary>
    public FileHandle? Handle { get; set; }

    /// <summary>
    /// Counts an open file that the kernel may read and write itself. All opens of an inode must agree on that, and on the backing file: what
    /// differs is answered EIO (fs/fuse/iomode.c, <c>fuse_file_io_open</c>). So the first of them decides for as long as any is open.
    /// </summary>
    /// <returns>The <c>backing_id</c> of its reply; null if it is to be read and written by messages.</returns>
    public int? ShareBacking(IBackingFiles files, OpenFile file)
    {
        lock (_backingGate)
        {
            if (_backingOpens++ == 0)
            {
                Result<int> opened = files.Open(file.Number);
                _backingId = opened.IsOk ? opened.Value : 0;
            }

            return _backingId > 0 ? _backingId : null;
        }
    }

    /// <summary>Takes back what <see cref="ShareBacking"/> counted.</summary>
    /// <remarks>The kernel leaves the shared mode before it sends RELEASE, so that the next open may decide anew.</remarks>
    public void UnshareBacking(IBackingFiles files)
    {
        lock (_backingGate)
        {
            if (--_backingOpens == 0 && _backingId > 0)
            {
                _ = files.Close(_backingId);
                _backingId = 0;
            }
        }
    }
}
