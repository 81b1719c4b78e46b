using Harness.Experiments.Keeping;
using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;
using Harness.Runtime.Native;
using Mono.Unix.Native;

namespace Harness.Experiments.Backends.Passthrough;

/// <summary>A directory of this machine, served as it is: what the host's file system says is what the mount says.</summary>
/// <remarks>
/// <para>
/// Each node is a file that is kept open by O_PATH, and each name a single component that is looked up below one without following symbolic links, so that no
/// path leads out of the directory. The kernel checks permissions (POSIX_ACL implies <c>default_permissions</c>); the host's own checks are
/// overridden as root, and hold for the mounter otherwise. What is made belongs to its maker (<see cref="Callers"/>).
/// </para>
/// <para>
/// Locks stay in the kernel of the mount, which knows all holders on it, can wait and be interrupted, finds deadlocks and forgets the dead.
/// Passed on to the host they would also count against processes that use the directory itself, but every waiter would hold a thread, and
/// nobody could tell a deadlock.
/// </para>
/// <para>
/// Calls block the channel's thread for as long as the host takes. That is cheapest where the host's page cache answers, and where it does not
/// the number of threads is the number of host calls in flight.
/// </para>
/// </remarks>
internal sealed partial class PassthroughFileSystem : IFileSystem, IDisposable
{
    // Node ids are never used twice, so one generation is enough.
    private const ulong Generation = 0;

    /// <summary>Which part of all descriptors may keep nodes open; the others are for open files and the process itself.</summary>
    private const double NodeShareMax = 0.5;

    private readonly PassthroughOptions _options;
    private readonly BackendOptions _backend;
    private readonly Callers _callers = new();
    private readonly NodeTable _nodes;
    private readonly HandleTable<OpenFile> _files;
    private readonly HandleTable<OpenDirectory> _directories;
    private readonly FileDescriptor _root;
    private IBackingFiles? _backingFiles;
    private bool _writebackCache;

    /// <summary>Opens the directory; what is mounted on it later does not matter.</summary>
    /// <exception cref="Transport.FuseTransportException">There is no such directory, or the mount point lies in it.</exception>
    public PassthroughFileSystem(PassthroughOptions options)
    {
        _options = options;
        _backend = options.Backend;
        _files = new HandleTable<OpenFile>(null, KeptKind.File);
        _directories = new HandleTable<OpenDirectory>(null, KeptKind.Directory);
        _root = ServedDirectory.Open(options.Directory, options.MountPoint);
        _nodes = new NodeTable(_root, options.OpenNodesMax ?? (int)(DescriptorLimit.Raise() * NodeShareMax), options.UseHandles);
    }

    /// <summary>Goes on where the process before this one ended, with the same nodes and open files; and has its own survive it.</summary>
    /// <param name="options">As they were; the directory is the one that was opened first, wherever it is now.</param>
    /// <param name="kept">What has been kept: at least the root.</param>
    public PassthroughFileSystem(PassthroughOptions options, KeptDescriptors kept)
    {
        _options = options;
        _backend = options.Backend;
        _files = new HandleTable<OpenFile>(kept, KeptKind.File);
        _directories = new HandleTable<OpenDirectory>(kept, KeptKind.Directory);
        ILookup<KeptKind, KeptDescriptor> inherited = kept.TakeInherited().ToLookup(each => each.Record.Kind);
        _root = ServedDirectory.Reopen(inherited[KeptKind.Node].Single(each => each.Record.Id == NodeId.Root.Value).Fd);
        int limit = DescriptorLimit.Raise(spare: KeptDescriptors.Spare);
        _nodes = new NodeTable(_root, options.OpenNodesMax ?? (int)(limit * NodeShareMax), options.UseHandles, kept, inherited[KeptKind.Node]);
        Inherit(inherited[KeptKind.File], (node, fd) => new OpenFile(node, fd, Libc.Fcntl(fd, FileFlags.FGetfl, 0)), _files);
        Inherit(inherited[KeptKind.Directory], (node, fd) => new OpenDirectory(node, fd) { Position = OpenDirectory.Unknown }, _directories);
        foreach (NodeId node in kept.Uncounted)
        {
            _nodes.Forget(node, 1);
        }
    }

    /// <inheritdoc/>
    /// <remarks>
    /// AUTO_INVAL_DATA, because the files may be changed on the host, behind the mount: cached pages go when a file's time of change moves.
    /// NO_EXPORT_SUPPORT, because a node that was forgotten is not found again, and one that a peer of NFS made up must not be.
    /// </remarks>
    public InitFlags Capabilities =>
        InitFlags.AtomicOTrunc | InitFlags.DontMask | InitFlags.DoReaddirplus | InitFlags.ReaddirplusAuto | InitFlags.ParallelDirops |
        InitFlags.PosixAcl | InitFlags.CacheSymlinks | InitFlags.AutoInvalData | InitFlags.HandleKillprivV2 | InitFlags.SetxattrExt |
        InitFlags.CreateSuppGroup | InitFlags.NoExportSupport | (_options.KernelPassthrough ? InitFlags.Passthrough : InitFlags.None);

    /// <summary>Nodes that the kernel knows now.</summary>
    internal int NodeCount => _nodes.Count;

    /// <summary>Files and directories that are open now.</summary>
    internal int OpenCount => _files.Count + _directories.Count;

    /// <summary>
    /// Why the last system call failed. That this process has no descriptors left must not look as if the application had none.
    /// </summary>
    internal static Errno LastError => Libc.LastErrno is var error && error == Errno.EMFILE ? Errno.ENFILE : error;

    // NUL alone: the descriptor's own file, with AT_EMPTY_PATH.
    private static ReadOnlySpan<byte> EmptyPath => "\0"u8;

    /// <inheritdoc/>
    public void Attach(IBackingFiles files) => _backingFiles = files;

    /// <inheritdoc/>
    public void Start(NegotiatedInit init)
    {
        _writebackCache = init.Has(InitFlags.WritebackCache);

        // With both the kernel takes the cache and leaves passthrough out (fs/fuse/inode.c, process_init_reply).
        if (!init.Has(InitFlags.Passthrough) || _writebackCache)
        {
            _backingFiles = null;
        }

        if (_backingFiles is not null)
        {
            InheritBacking(_backingFiles);
        }
    }

    /// <inheritdoc/>
    public void Stop()
    {
        _files.Clear();
        _directories.Clear();
        _nodes.Clear();
        _root.Dispose();
    }

    /// <inheritdoc/>
    public void Dispose() => Stop();

    /// <inheritdoc/>
    public void Forget(NodeId node, ulong lookups) => _nodes.Forget(node, lookups);

    /// <inheritdoc/>
    public ValueTask<Result<Kstatfs>> Statfs(RequestContext context, NodeId node)
    {
        using NodeFile found = _nodes.Open(node);
        FileSystemStatus status = default;
        Errno error = found.Error == Errnos.Ok ? Checked(Libc.Fstatfs(found.Descriptor, out status)) : found.Error;
        if (error != Errnos.Ok)
        {
            return new(error);
        }

        return new(new Kstatfs
        {
            Blocks = status.Blocks,
            Bfree = status.Bfree,
            Bavail = status.Bavail,
            Files = status.Files,
            Ffree = status.Ffree,
            Bsize = (uint)status.Bsize,
            Frsize = (uint)status.Frsize,
            Namelen = (uint)status.Namelen,
        });
    }

    /// <inheritdoc/>
    public ValueTask<Errno> Syncfs(RequestContext context, NodeId node) => new(Checked(Libc.Syncfs(_root)));

    private void Inherit<T>(IEnumerable<KeptDescriptor> inherited, Func<Node, int, T> open, HandleTable<T> table)
        where T : Handle
    {
        foreach (KeptDescriptor each in inherited)
        {
            if (_nodes.Find(new NodeId(each.Record.Value)) is { } node)
            {
                table.Inherit(open(node, each.Fd), in each);
            }
        }
    }

    /// <summary>Counts the open files that are with the kernel, which every file is that was opened since INIT.</summary>
    private void InheritBacking(IBackingFiles files)
    {
        foreach (OpenFile file in _files.All)
        {
            file.SharesBacking = true;
            file.Node.InheritBacking();
        }

        foreach (Node node in _nodes.All)
        {
            node.SettleBacking(files);
        }
    }

    /// <summary>What a call that returns −1 for an error has to say.</summary>
    private static Errno Checked(long result) => result < 0 ? LastError : Errnos.Ok;
}
