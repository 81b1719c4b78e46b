using System.Collections.Concurrent;
using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;
using Mono.Unix.Native;

namespace Harness.Experiments.Backends.Memory;

/// <summary>A POSIX file system in this process's memory.</summary>
/// <remarks>
/// <para>
/// Who may do what is the kernel's to decide: mount it with <c>default_permissions</c>, which POSIX_ACL implies. The file system does what the
/// kernel leaves to it: owners and groups of what is made, umask and inherited access control lists, set-id bits that a write clears, times.
/// </para>
/// <para>
/// Locks, in the order in which they are taken:
/// 1. <see cref="_names"/>, shared by what changes one directory, held alone by what concerns several (rename, rmdir);
/// 2. <see cref="DirectoryIndex.Gate"/>: who shares 1, or holds none (lookup, readdir), takes one at a time; who holds 1 alone may take more;
/// 3. <see cref="Inode.Gate"/>: one at a time, but for a new inode's own, which nobody else can know;
/// 4. those of budgets, page pool and inode table, which call nobody.
/// <see cref="FileContent"/>'s lock (above 4) and <see cref="FileLocks"/>' are taken while none of 1 to 3 is held.
/// </para>
/// <para>
/// An inode lives as long as it has a name or the kernel knows its node id. The handle of a file is just a number of its own, which its locks
/// bear: all else a request needs is its node, and the kernel keeps the node known while a file is open.
/// </para>
/// </remarks>
internal sealed partial class MemoryFileSystem : IFileSystem, IDisposable
{
    /// <summary>Longest name, in bytes (NAME_MAX).</summary>
    public const int NameBytesMax = 255;

    /// <summary>Longest target of a symbolic link, in bytes: a path and its NUL have 4096 (PATH_MAX).</summary>
    public const int TargetBytesMax = 4095;

    // Node ids are never used twice, so one generation is enough.
    private const ulong Generation = 1;

    private readonly MemoryOptions _options;
    private readonly BackendOptions _backend;
    private readonly TimeProvider _time;
    private readonly PagePool _pool;
    private readonly Budget _inodeBudget;
    private readonly ReaderWriterLockSlim _names = new();
    private readonly ConcurrentDictionary<ulong, Inode> _inodes = new();
    private readonly FileLocks _locks = new();
    private readonly Inode _root;
    private ulong _lastId;
    private ulong _lastFh;
    private bool _writebackCache;

    /// <summary>An empty file system.</summary>
    /// <param name="options">Limits and habits.</param>
    /// <param name="time">Where times of files come from.</param>
    public MemoryFileSystem(MemoryOptions options, TimeProvider time)
    {
        _options = options;
        _backend = options.Backend;
        _time = time;
        _pool = new PagePool(options.CapacityBytes);
        _inodeBudget = new Budget(options.InodesMax);
        _inodeBudget.TryCharge(1);
        _root = new Inode(++_lastId, FilePermissions.S_IFDIR | (options.RootMode & FilePermissions.ALLPERMS), Now)
        {
            Nlink = 2,
            Uid = _backend.Uid,
            Gid = _backend.Gid,
        };
        _root.Directory = new DirectoryIndex(_root);
        _inodes[_root.Id] = _root;
    }

    /// <inheritdoc/>
    /// <remarks>Without FLUSH, which FOPEN_NOFLUSH suppresses, nobody tells when to drop a closing file's locks: then the kernel keeps them.</remarks>
    public InitFlags Capabilities =>
        InitFlags.AtomicOTrunc | InitFlags.ExportSupport | InitFlags.DontMask | InitFlags.DoReaddirplus | InitFlags.ReaddirplusAuto |
        InitFlags.ParallelDirops | InitFlags.PosixAcl | InitFlags.CacheSymlinks | InitFlags.HandleKillprivV2 | InitFlags.SetxattrExt |
        InitFlags.SecurityCtx | InitFlags.FlockLocks |
        ((_backend.OpenFlags & FopenFlags.Noflush) == 0 ? InitFlags.PosixLocks : InitFlags.None);

    private Timestamp Now => Timestamp.Now(_time);

    /// <inheritdoc/>
    public void Start(NegotiatedInit init) => _writebackCache = init.Has(InitFlags.WritebackCache);

    /// <inheritdoc/>
    public void Stop() => _locks.Stop();

    /// <inheritdoc/>
    public void Dispose() => _names.Dispose();

    /// <inheritdoc/>
    public void Forget(NodeId node, ulong lookups)
    {
        if (Find(node) is not { } inode)
        {
            return;
        }

        lock (inode.Gate)
        {
            inode.Lookups -= Math.Min(lookups, inode.Lookups);
        }

        DropUnlessUsed(inode);
    }

    /// <inheritdoc/>
    public ValueTask<Result<Kstatfs>> Statfs(RequestContext context, NodeId node) => new(new Kstatfs
    {
        Bsize = PagePool.PageBytes,
        Frsize = PagePool.PageBytes,
        Blocks = (ulong)_pool.Budget.Limit,
        Bfree = (ulong)_pool.Budget.Free,
        Bavail = (ulong)_pool.Budget.Free,
        Files = (ulong)_inodeBudget.Limit,
        Ffree = (ulong)_inodeBudget.Free,
        Namelen = NameBytesMax,
    });

    /// <inheritdoc/>
    public ValueTask<Errno> Syncfs(RequestContext context, NodeId node) => new(Errnos.Ok);

    private Inode? Find(NodeId node) => _inodes.TryGetValue(node.Value, out Inode? inode) ? inode : null;

    /// <summary>Finds a directory, or says why there is none.</summary>
    private Errno FindDirectory(NodeId node, out Inode inode, out DirectoryIndex index)
    {
        inode = Find(node)!;
        index = inode?.Directory!;
        return inode is null ? Errno.ESTALE : index is null ? Errno.ENOTDIR : Errnos.Ok;
    }

    /// <summary>Finds a regular file, or says why there is none.</summary>
    private Errno FindFile(NodeId node, out Inode inode, out FileContent content)
    {
        inode = Find(node)!;
        content = inode?.Content!;
        return inode switch
        {
            null => Errno.ESTALE,
            { Content: not null } => Errnos.Ok,
            { Directory: not null } => Errno.EISDIR,
            _ => Errno.EINVAL,
        };
    }

    /// <summary>Counts a lookup, and answers it. ENOENT if the inode has lost its last name since it was found.</summary>
    private Result<EntryOut> LookUp(Inode inode)
    {
        lock (inode.Gate)
        {
            if (inode.IsDropped)
            {
                return Errno.ENOENT;
            }

            inode.Lookups++;
            Attr attr = inode.ToAttr();
            return _backend.Entry(inode.Id, Generation, in attr);
        }
    }

    /// <summary>Frees an inode that has neither a name nor a lookup.</summary>
    private void DropUnlessUsed(Inode inode)
    {
        lock (inode.Gate)
        {
            if (inode.Nlink != 0 || inode.Lookups != 0 || inode.IsDropped)
            {
                return;
            }

            inode.IsDropped = true;
            DropXattrs(inode);
        }

        _inodes.TryRemove(inode.Id, out _);
        _inodeBudget.Refund(1);
        inode.Content?.Drop();
    }
}
