using Harness.Runtime.Native;

namespace Harness.Experiments.Backends.Passthrough;

/// <summary>An open regular file of the host.</summary>
/// <remarks>
/// Its descriptor has neither O_APPEND nor O_DIRECT, whatever the application asked for: the kernel sends the pages that anybody has dirtied
/// through a mapping, or with the writeback cache, by any file that is open for writing (fs/fuse/file.c, <c>fuse_write_file_get</c>), and these
/// have their own offsets and no alignment. Requests say in their flags what was asked for; those that want direct I/O get a second descriptor.
/// Disposed by whoever takes it out of its <see cref="HandleTable{T}"/>.
/// </remarks>
internal sealed class OpenFile : Handle
{
    private const int Kept = FileFlags.AccessMode | FileFlags.Sync | FileFlags.NoAtime;

    private readonly Lock _gate = new();
    private readonly int _flags;
    private FileDescriptor? _direct;
    private bool _directWasTried;

    /// <summary>Takes over <paramref name="fd"/>, which was opened with <paramref name="flags"/>.</summary>
    public OpenFile(Node node, int fd, int flags)
        : base(node, fd) => _flags = flags;

    /// <summary>Whether it was counted as one that the kernel may read and write itself.</summary>
    public bool SharesBacking { get; set; }

    /// <summary>Whether it may be written.</summary>
    public bool IsWritable => (_flags & FileFlags.AccessMode) != FileFlags.ReadOnly;

    /// <summary>The file for direct I/O; null where the host's file system has none.</summary>
    public FileDescriptor? Direct
    {
        get
        {
            if (!Volatile.Read(ref _directWasTried))
            {
                OpenDirect();
            }

            return _direct;
        }
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _direct?.Dispose();
        }

        base.Dispose(disposing);
    }

    private void OpenDirect()
    {
        lock (_gate)
        {
            if (_directWasTried)
            {
                return;
            }

            using var path = new DescriptorPath(this);
            int fd = Libc.OpenAt(FileFlags.AtFdcwd, path.Text, (_flags & Kept) | FileFlags.Direct | FileFlags.CloseOnExec, 0);
            _direct = fd >= 0 ? new FileDescriptor(fd) : null;
            Volatile.Write(ref _directWasTried, true);
        }
    }
}
