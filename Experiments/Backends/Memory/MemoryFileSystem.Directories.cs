using System.Collections.Concurrent;
using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;
using Mono.Unix.Native;

namespace Harness.Experiments.Backends.Memory;

/// <content>Listing directories.</content>
internal sealed partial class MemoryFileSystem
{
    private const ulong DotCookie = 1;
    private const ulong DotDotCookie = 2;

    private readonly ConcurrentDictionary<ulong, Listing> _listings = new();

    /// <inheritdoc/>
    public ValueTask<Result<OpenOut>> Opendir(RequestContext context, NodeId node, OpenIn arg)
    {
        Errno error = FindDirectory(node, out _, out _);
        if (error != Errnos.Ok)
        {
            return new(error);
        }

        ulong fh = NewFh();
        _listings[fh] = new Listing();
        return new(_backend.OpenedDirectory(fh));
    }

    /// <inheritdoc/>
    public ValueTask<Errno> Releasedir(RequestContext context, NodeId node, ReleaseIn arg)
    {
        _listings.TryRemove(arg.Fh, out _);
        return new(Errnos.Ok);
    }

    /// <inheritdoc/>
    public ValueTask<Result<int>> Readdir(RequestContext context, NodeId node, ReadIn arg, Memory<byte> buffer) =>
        new(List(node, in arg, buffer.Span, plus: false));

    /// <inheritdoc/>
    public ValueTask<Result<int>> Readdirplus(RequestContext context, NodeId node, ReadIn arg, Memory<byte> buffer) =>
        new(List(node, in arg, buffer.Span, plus: true));

    /// <inheritdoc/>
    public ValueTask<Errno> Fsyncdir(RequestContext context, NodeId node, FsyncIn arg) => new(Errnos.Ok);

    private Result<int> List(NodeId node, in ReadIn arg, Span<byte> buffer, bool plus)
    {
        Errno error = FindDirectory(node, out Inode directory, out DirectoryIndex index);
        if (error != Errnos.Ok)
        {
            return error;
        }

        if (!_listings.TryGetValue(arg.Fh, out Listing? listing))
        {
            return Errno.EBADF;
        }

        var writer = new DirentWriter(buffer);
        bool complete;
        lock (index.Gate)
        {
            if (arg.Offset == 0)
            {
                listing.End = index.NextCookie;
            }

            complete = AddDots(ref writer, directory, index.Parent, arg.Offset, plus);
            for (int i = index.IndexBehind(arg.Offset); complete && i < index.Length && index[i].Cookie < listing.End; i++)
            {
                complete = index[i].Inode is null || AddEntry(ref writer, index[i], plus);
            }
        }

        Accessed(directory);
        return complete || writer.Length > 0 ? writer.Length : Errno.EINVAL;
    }

    /// <summary>Adds <c>.</c> and <c>..</c>, in READDIRPLUS without a node id: they are not looked up.</summary>
    private static bool AddDots(ref DirentWriter writer, Inode directory, Inode parent, ulong offset, bool plus) =>
        (offset >= DotCookie || AddDot(ref writer, "."u8, directory, DotCookie, plus)) &&
        (offset >= DotDotCookie || AddDot(ref writer, ".."u8, parent, DotDotCookie, plus));

    private static bool AddDot(ref DirentWriter writer, ReadOnlySpan<byte> name, Inode inode, ulong cookie, bool plus)
    {
        if (!plus)
        {
            return writer.TryAdd(name, inode.Id, (uint)FilePermissions.S_IFDIR, cookie);
        }

        var entry = new EntryOut { Attr = new Attr { Ino = inode.Id, Mode = (uint)FilePermissions.S_IFDIR } };
        return writer.TryAddPlus(name, in entry, cookie);
    }

    private bool AddEntry(ref DirentWriter writer, DirectoryEntry entry, bool plus)
    {
        Inode inode = entry.Inode!;
        lock (inode.Gate)
        {
            if (!plus)
            {
                return writer.TryAdd(entry.Name, inode.Id, (uint)inode.Mode, entry.Cookie);
            }

            Attr attr = inode.ToAttr();
            EntryOut reply = _backend.Entry(inode.Id, Generation, in attr);
            bool added = writer.TryAddPlus(entry.Name, in reply, entry.Cookie);
            inode.Lookups += added ? 1u : 0u;
            return added;
        }
    }

    /// <summary>An open directory. It lists what was there when it was opened or rewound, so that it ends even if names are added without end.</summary>
    private sealed class Listing
    {
        /// <summary>The first cookie that no longer belongs to it. Guarded by the directory's gate.</summary>
        public ulong End { get; set; }
    }
}
