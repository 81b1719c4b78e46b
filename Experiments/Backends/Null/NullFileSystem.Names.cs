using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;
using Mono.Unix.Native;

namespace Harness.Experiments.Backends.Null;

/// <content>The names: they are listed, and refuse to change.</content>
internal sealed partial class NullFileSystem
{
    private const Errno NamesAreFixed = Errno.EROFS;

    /// <inheritdoc/>
    public ValueTask<Result<OpenOut>> Opendir(RequestContext context, NodeId node, OpenIn arg) =>
        node == NodeId.Root ? new(_options.OpenedDirectory(0)) : new(Errno.ENOTDIR);

    /// <inheritdoc/>
    public ValueTask<Result<int>> Readdir(RequestContext context, NodeId node, ReadIn arg, Memory<byte> buffer) =>
        List(node, arg.Offset, buffer.Span, plus: false);

    /// <inheritdoc/>
    public ValueTask<Result<int>> Readdirplus(RequestContext context, NodeId node, ReadIn arg, Memory<byte> buffer) =>
        List(node, arg.Offset, buffer.Span, plus: true);

    /// <inheritdoc/>
    public ValueTask<Errno> Fsyncdir(RequestContext context, NodeId node, FsyncIn arg) => new(Errnos.Ok);

    /// <summary>Opens a file that is there; there will be no others.</summary>
    public ValueTask<Result<CreateOut>> Create(RequestContext context, NodeId parent, ReadOnlyMemory<byte> name, CreateIn arg)
    {
        int index = IndexOf(name.Span);
        if (index < 0)
        {
            return new(NamesAreFixed);
        }

        if (((OpenFlags)arg.Flags & OpenFlags.O_EXCL) != 0)
        {
            return new(Errno.EEXIST);
        }

        return new(new CreateOut { Entry = Entry(index), Open = _options.OpenedFile(0) });
    }

    /// <inheritdoc/>
    public ValueTask<Result<CreateOut>> Tmpfile(RequestContext context, NodeId parent, CreateIn arg) => new(NamesAreFixed);

    /// <inheritdoc/>
    public ValueTask<Result<EntryOut>> Symlink(
        RequestContext context, NodeId parent, ReadOnlyMemory<byte> name, ReadOnlyMemory<byte> target) => new(NamesAreFixed);

    /// <inheritdoc/>
    public ValueTask<Result<EntryOut>> Mknod(RequestContext context, NodeId parent, ReadOnlyMemory<byte> name, MknodIn arg) =>
        new(NamesAreFixed);

    /// <inheritdoc/>
    public ValueTask<Result<EntryOut>> Mkdir(RequestContext context, NodeId parent, ReadOnlyMemory<byte> name, MkdirIn arg) =>
        new(NamesAreFixed);

    /// <inheritdoc/>
    public ValueTask<Errno> Unlink(RequestContext context, NodeId parent, ReadOnlyMemory<byte> name) => new(NamesAreFixed);

    /// <inheritdoc/>
    public ValueTask<Errno> Rmdir(RequestContext context, NodeId parent, ReadOnlyMemory<byte> name) => new(NamesAreFixed);

    /// <inheritdoc/>
    public ValueTask<Errno> Rename(
        RequestContext context, NodeId parent, ReadOnlyMemory<byte> name, NodeId newParent, ReadOnlyMemory<byte> newName, RenameFlags flags) =>
        new(NamesAreFixed);

    /// <inheritdoc/>
    public ValueTask<Result<EntryOut>> Link(RequestContext context, NodeId node, NodeId newParent, ReadOnlyMemory<byte> newName) =>
        new(NamesAreFixed);

    private ValueTask<Result<int>> List(NodeId node, ulong offset, Span<byte> buffer, bool plus)
    {
        if (node != NodeId.Root)
        {
            return new(Errno.ENOTDIR);
        }

        // The offset counts the names returned so far: ".", "..", and the files in order.
        var writer = new DirentWriter(buffer);
        for (ulong i = offset; i < FileCount + 2; i++)
        {
            bool fits = i < 2 ? AddDots(ref writer, i, plus) : AddFile(ref writer, (int)i - 2, plus);
            if (!fits)
            {
                return writer.Length == 0 ? new(Errno.EINVAL) : new(writer.Length);
            }
        }

        return new(writer.Length);
    }

    private bool AddDots(ref DirentWriter writer, ulong index, bool plus)
    {
        ReadOnlySpan<byte> name = index == 0 ? "."u8 : ".."u8;
        return plus
            ? writer.TryAddPlus(name, new EntryOut { Attr = _directory }, index + 1)
            : writer.TryAdd(name, _directory.Ino, _directory.Mode, index + 1);
    }

    private bool AddFile(ref DirentWriter writer, int index, bool plus)
    {
        EntryOut entry = Entry(index);
        ulong next = (ulong)index + 3;
        return plus
            ? writer.TryAddPlus(_names[index], in entry, next)
            : writer.TryAdd(_names[index], entry.Attr.Ino, entry.Attr.Mode, next);
    }
}
