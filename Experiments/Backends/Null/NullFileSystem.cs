using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;
using Mono.Unix.Native;

namespace Harness.Experiments.Backends.Null;

/// <summary>
/// A directory with sixteen files <c>zero.0</c> to <c>zero.15</c> of 1 TiB each: reads fill the reply with zeros, writes vanish. What an
/// experiment measures on it is FUSE itself.
/// </summary>
/// <remarks>
/// Nothing ever changes, so nothing is locked or remembered: not who looked up what, not what is open. There is one file per job because
/// several direct writers to one file measure that file's inode lock.
/// </remarks>
internal sealed partial class NullFileSystem : IFileSystem
{
    /// <summary>How many files there are.</summary>
    public const int FileCount = 16;

    /// <summary>Size of each file, in bytes.</summary>
    public const ulong FileBytes = 1UL << 40;

    private const uint BlockBytes = 4096;
    private const ulong FirstFileId = 2;
    private const FilePermissions DirectoryMode = FilePermissions.S_IFDIR | (FilePermissions)0x1ED; // 0755
    private const FilePermissions FileMode = FilePermissions.S_IFREG | FilePermissions.DEFFILEMODE;

    private readonly BackendOptions _options;
    private readonly Attr _directory;
    private readonly Attr _file;
    private readonly byte[][] _names;

    /// <summary>Makes the directory and its files, as of now.</summary>
    public NullFileSystem(BackendOptions options, TimeProvider time)
    {
        _options = options;
        long milliseconds = time.GetUtcNow().ToUnixTimeMilliseconds();
        Attr template = new()
        {
            Uid = options.Uid,
            Gid = options.Gid,
            Blksize = BlockBytes,
            Atime = (ulong)(milliseconds / 1000),
            Mtime = (ulong)(milliseconds / 1000),
            Ctime = (ulong)(milliseconds / 1000),
        };
        _directory = template with { Ino = NodeId.Root.Value, Mode = (uint)DirectoryMode, Nlink = 2, Size = BlockBytes };
        _file = template with { Mode = (uint)FileMode, Nlink = 1, Size = FileBytes, Blocks = FileBytes / 512 };
        _names = [.. Enumerable.Range(0, FileCount).Select(i => System.Text.Encoding.ASCII.GetBytes($"zero.{i}"))];
    }

    /// <inheritdoc/>
    public InitFlags Capabilities => InitFlags.AtomicOTrunc | InitFlags.DoReaddirplus | InitFlags.ReaddirplusAuto;

    /// <inheritdoc/>
    public ValueTask<Result<EntryOut>> Lookup(RequestContext context, NodeId parent, ReadOnlyMemory<byte> name)
    {
        if (parent != NodeId.Root)
        {
            return new(Errno.ENOTDIR);
        }

        int index = IndexOf(name.Span);
        if (index >= 0)
        {
            return new(Entry(index));
        }

        return _options.NegativeTimeout > TimeSpan.Zero ? new(_options.NegativeEntry()) : new(Errno.ENOENT);
    }

    /// <inheritdoc/>
    public ValueTask<Result<AttrOut>> Getattr(RequestContext context, NodeId node, GetattrIn arg) =>
        TryGetAttr(node, out Attr attr) ? new(_options.Attributes(in attr)) : new(Errno.ESTALE);

    /// <summary>Accepts new sizes and times, so that whoever truncates before he writes can go on; nothing changes. Modes and owners stay.</summary>
    public ValueTask<Result<AttrOut>> Setattr(RequestContext context, NodeId node, SetattrIn arg)
    {
        if ((arg.Valid & (SetattrValid.Mode | SetattrValid.Uid | SetattrValid.Gid)) != 0)
        {
            return new(Errno.EPERM);
        }

        return Getattr(context, node, default);
    }

    /// <inheritdoc/>
    public ValueTask<Result<Kstatfs>> Statfs(RequestContext context, NodeId node) => new(new Kstatfs
    {
        Bsize = BlockBytes,
        Frsize = BlockBytes,
        Blocks = FileCount * FileBytes / BlockBytes,
        Files = FileCount + 1,
        Namelen = 255,
    });

    /// <inheritdoc/>
    public ValueTask<Errno> Syncfs(RequestContext context, NodeId node) => new(Errnos.Ok);

    private EntryOut Entry(int index)
    {
        ulong id = FirstFileId + (ulong)index;
        Attr attr = _file;
        attr.Ino = id;
        return _options.Entry(id, 0, in attr);
    }

    private bool TryGetAttr(NodeId node, out Attr attr)
    {
        attr = IsFile(node) ? _file : _directory;
        attr.Ino = node.Value;
        return node == NodeId.Root || IsFile(node);
    }

    private static bool IsFile(NodeId node) => node.Value - FirstFileId < FileCount;

    private int IndexOf(ReadOnlySpan<byte> name)
    {
        for (int i = 0; i < _names.Length; i++)
        {
            if (name.SequenceEqual(_names[i]))
            {
                return i;
            }
        }

        return -1;
    }
}
