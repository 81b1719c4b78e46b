using Harness.Experiments.Keeping;
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
    private KeptDescriptors? _kept;
    private int _slot;
    private int _backingOpens;
    private int _backingId;

    /// <summary>Its node id, never given to another.</summary>
    public ulong Id { get; } = id;

    /// <summary>The file.</summary>
    public NodeKey Key { get; } = key;

    /// <summary>The type of the file, which never changes.</summary>
    public FilePermissions Type { get; } = (FilePermissions)mode & FilePermissions.S_IFMT;

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

    /// <summary>The node that a process before this one kept: by its descriptor, or else by its handle.</summary>
    /// <param name="inherited">What was kept; its descriptor is taken over.</param>
    /// <param name="device">The file system of nodes that have a handle only: the root's.</param>
    public static Node From(in KeptDescriptor inherited, ulong device)
    {
        ulong id = inherited.Record.Id;
        if (inherited.Fd < 0)
        {
            KeptFile file = inherited.Record.File;
            return new Node(id, new NodeKey(device, file.Ino), file.Mode) { Handle = file.ToHandle() };
        }

        // Where that fails (a network file system's) the node is one whose names lead to another from now on.
        _ = Libc.Statx(inherited.Fd, "\0"u8, FileFlags.AtEmptyPath, FileStatus.All, out FileStatus status);
        return new Node(id, NodeKey.Of(in status), status.Mode) { Descriptor = new FileDescriptor(inherited.Fd) };
    }

    /// <summary>Has the node survive this process, from the first time on that it is called.</summary>
    /// <returns>False if no more can be kept.</returns>
    public bool TryKeep(KeptDescriptors kept)
    {
        if (_kept is not null)
        {
            return true;
        }

        var record = new KeptSlot { Id = Id, Kind = KeptKind.Node, Value = Lookups };
        if (Descriptor is null && !KeptFile.TryMake(Key.Ino, (uint)Type, Handle!, out record.File))
        {
            return false;
        }

        int slot = kept.Keep(in record, Descriptor);
        _kept = slot < 0 ? null : kept;
        _slot = slot;
        return slot >= 0;
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
        Descriptor?.Dispose();
    }

    /// <summary>The file, open by O_PATH, so that its inode number stays its own; null if it is to be opened by <see cref="Handle"/>.</summary>
    public FileDescriptor? Descriptor
    {
        get;
        set
        {
            field = value;
            if (_kept is not null && value is not null)
            {
                _kept.Attach(_slot, value);
            }
        }
    }

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
