using System.Text;
using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;
using Mono.Unix.Native;

namespace Harness.Tests.Experiments.Backends;

/// <summary>
/// Calls a file system as a kernel does: by node id, as a user. It keeps count of the lookups that replies gave it, so that it can
/// <see cref="ForgetAll"/> of them.
/// </summary>
internal sealed partial class FileSystemClient
{
    public const ulong Root = 1;

    private readonly IFileSystem _fileSystem;
    private readonly RequestContext _context;
    private readonly Dictionary<ulong, ulong> _lookups;

    public FileSystemClient(IFileSystem fileSystem)
        : this(fileSystem, new RequestContext(0, 0), [])
    {
    }

    private FileSystemClient(IFileSystem fileSystem, RequestContext context, Dictionary<ulong, ulong> lookups)
    {
        _fileSystem = fileSystem;
        _context = context;
        _lookups = lookups;
    }

    /// <summary>How often the file system answered with this node and it was not forgotten.</summary>
    public ulong LookupsOf(ulong node) => _lookups.GetValueOrDefault(node);

    /// <summary>The same file system, called by somebody else.</summary>
    public FileSystemClient As(uint uid, uint gid) => new(_fileSystem, new RequestContext(uid, gid), _lookups);

    public Result<EntryOut> Lookup(ulong parent, string name) => Count(Wait(_fileSystem.Lookup(_context, new(parent), Bytes(name))));

    public void Forget(ulong node, ulong lookups)
    {
        _lookups[node] -= lookups;
        _fileSystem.Forget(new NodeId(node), lookups);
    }

    /// <summary>Gives back every lookup, as the kernel does when it drops its caches.</summary>
    public void ForgetAll()
    {
        foreach ((ulong node, ulong lookups) in _lookups)
        {
            _fileSystem.Forget(new NodeId(node), lookups);
        }

        _lookups.Clear();
    }

    public Result<EntryOut> Mkdir(ulong parent, string name, uint mode = 0x1ED, uint umask = 0) =>
        Count(Wait(_fileSystem.Mkdir(_context, new(parent), Bytes(name), new MkdirIn { Mode = mode, Umask = umask })));

    public Result<EntryOut> Mknod(ulong parent, string name, FilePermissions mode, uint rdev = 0, uint umask = 0) =>
        Count(Wait(_fileSystem.Mknod(_context, new(parent), Bytes(name), new MknodIn { Mode = (uint)mode, Rdev = rdev, Umask = umask })));

    public Result<EntryOut> Symlink(ulong parent, string name, string target) =>
        Count(Wait(_fileSystem.Symlink(_context, new(parent), Bytes(name), Bytes(target))));

    public Result<CreateOut> Create(
        ulong parent, string name, OpenFlags flags = OpenFlags.O_RDWR | OpenFlags.O_CREAT, uint mode = 0x1A4, uint umask = 0) =>
        Count(Wait(_fileSystem.Create(
            _context, new(parent), Bytes(name), new CreateIn { Flags = (uint)flags, Mode = mode | (uint)FilePermissions.S_IFREG, Umask = umask })));

    public Result<CreateOut> Tmpfile(ulong parent, OpenFlags flags = OpenFlags.O_RDWR, uint mode = 0x180) =>
        Count(Wait(_fileSystem.Tmpfile(
            _context, new(parent), new CreateIn { Flags = (uint)flags, Mode = mode | (uint)FilePermissions.S_IFREG })));

    public Result<EntryOut> Link(ulong node, ulong parent, string name) =>
        Count(Wait(_fileSystem.Link(_context, new(node), new(parent), Bytes(name))));

    public Errno Unlink(ulong parent, string name) => Wait(_fileSystem.Unlink(_context, new(parent), Bytes(name)));

    public Errno Rmdir(ulong parent, string name) => Wait(_fileSystem.Rmdir(_context, new(parent), Bytes(name)));

    public Errno Rename(ulong parent, string name, ulong newParent, string newName, RenameFlags flags = RenameFlags.None) =>
        Wait(_fileSystem.Rename(_context, new(parent), Bytes(name), new(newParent), Bytes(newName), flags));

    public Result<string> Readlink(ulong node)
    {
        byte[] buffer = new byte[4095];
        Result<int> length = Wait(_fileSystem.Readlink(_context, new(node), buffer));
        return length.IsOk ? Encoding.UTF8.GetString(buffer, 0, length.Value) : length.Error;
    }

    public Result<Attr> Getattr(ulong node)
    {
        Result<AttrOut> result = Wait(_fileSystem.Getattr(_context, new(node), default));
        return result.IsOk ? result.Value.Attr : result.Error;
    }

    public Result<Statx> Statx(ulong node)
    {
        Result<StatxOut> result = Wait(_fileSystem.Statx(_context, new(node), default));
        return result.IsOk ? result.Value.Stat : result.Error;
    }

    public Result<Attr> Setattr(ulong node, SetattrIn arg)
    {
        Result<AttrOut> result = Wait(_fileSystem.Setattr(_context, new(node), arg));
        return result.IsOk ? result.Value.Attr : result.Error;
    }

    public Result<Attr> Chmod(ulong node, uint mode) => Setattr(node, new SetattrIn { Valid = SetattrValid.Mode, Mode = mode });

    public Result<Attr> Chown(ulong node, uint uid, uint gid) =>
        Setattr(node, new SetattrIn { Valid = SetattrValid.Uid | SetattrValid.Gid, Uid = uid, Gid = gid });

    public Result<Attr> Truncate(ulong node, ulong size) => Setattr(node, new SetattrIn { Valid = SetattrValid.Size, Size = size });

    public Kstatfs Statfs() => Wait(_fileSystem.Statfs(_context, NodeId.Root)).Value;

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    private static T Wait<T>(ValueTask<T> task) => task.AsTask().GetAwaiter().GetResult();

    private Result<EntryOut> Count(Result<EntryOut> reply)
    {
        if (reply.IsOk && reply.Value.Nodeid != 0)
        {
            _lookups[reply.Value.Nodeid] = LookupsOf(reply.Value.Nodeid) + 1;
        }

        return reply;
    }

    private Result<CreateOut> Count(Result<CreateOut> reply)
    {
        if (reply.IsOk)
        {
            Count(reply.Value.Entry);
        }

        return reply;
    }
}
