using Harness.Experiments.Keeping;
using Harness.FuseProtocol;
using Harness.Runtime.Native;
using Mono.Unix.Native;

namespace Harness.Experiments.Backends.Passthrough;

/// <summary>Which file of the host a node is.</summary>
/// <param name="Device">Its file system (<c>st_dev</c>).</param>
/// <param name="Ino">Its inode number there, which no other file gets while this one is open.</param>
internal readonly record struct NodeKey(ulong Device, ulong Ino)
{
    /// <summary>The file that a status belongs to.</summary>
    public static NodeKey Of(in FileStatus status) => new(status.Device, status.Ino);
}

/// <summary>A file of the host that the kernel knows by a node id, held open by O_PATH: found again whatever its names become.</summary>
/// <remarks>Owned by its <see cref="NodeTable"/>, which disposes it when the kernel has forgotten it.</remarks>
internal sealed class Node : FileDescriptor
{
    private readonly Lock _backingGate = new();
    private KeptDescriptors? _kept;
    private int _slot;
    private int _backingOpens;
    private int _backingId;

    /// <summary>Takes over <paramref name="fd"/>.</summary>
    public Node(ulong id, int fd, NodeKey key, uint mode)
        : base(fd)
    {
        Id = id;
        Key = key;
        Type = (FilePermissions)mode & FilePermissions.S_IFMT;
    }

    /// <summary>Its node id, never given to another.</summary>
    public ulong Id { get; }

    /// <summary>The file.</summary>
    public NodeKey Key { get; }

    /// <summary>The type of the file, which never changes.</summary>
    public FilePermissions Type { get; }

    /// <summary>How often the kernel was told of it and has not forgotten it. Guarded by the table's lock.</summary>
    public ulong Lookups
    {
        get;
        set
        {
            field = value;
            if (_kept is not null)
            {
                _kept.Value(_slot) = value;
            }
        }
    }

    /// <summary>Has the node survive this process. Called once, before anybody else knows of it.</summary>
    /// <returns>False if no more can be kept.</returns>
    public bool TryKeep(KeptDescriptors kept)
    {
        int slot = kept.Keep(new KeptSlot { Id = Id, Kind = KeptKind.Node, Value = Lookups }, this);
        if (slot < 0)
        {
            return false;
        }

        (_kept, _slot) = (kept, slot);
        return true;
    }

    /// <summary>Takes the place of the node that a process before this one kept.</summary>
    public void Inherit(KeptDescriptors kept, in KeptDescriptor inherited)
    {
        (_kept, _slot) = (kept, inherited.Slot);
        Lookups = inherited.Record.Value;
        _backingId = inherited.Record.BackingId;
    }

    /// <summary>Counts an open file that a process before this one gave to the kernel to read and write.</summary>
    public void InheritBacking() => _backingOpens++;

    /// <summary>Closes a backing file of which no open file is left: the process before this one ended while it was opened or closed.</summary>
    public void SettleBacking(IBackingFiles files)
    {
        if (_backingOpens == 0 && _backingId > 0)
        {
            _ = files.Close(_backingId);
            SetBacking(0);
        }
    }

    /// <summary>Lets it go for good: the kernel has forgotten it.</summary>
    public void Forget()
    {
        _kept?.Drop(_slot);
        Dispose();
    }

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
                SetBacking(opened.IsOk ? opened.Value : 0);
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
                SetBacking(0);
            }
        }
    }

    private void SetBacking(int id)
    {
        _backingId = id;
        if (_kept is not null)
        {
            _kept.BackingId(_slot) = id;
        }
    }
}
