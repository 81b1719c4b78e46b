using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;
using Mono.Unix.Native;

namespace Harness.Experiments.Fuzz;

internal sealed partial class FuzzFileSystem
{
    public void Forget(NodeId node, ulong lookups)
    {
        Calls++;
        if (Step.Mood == FuzzMood.Throw)
        {
            throw new FuzzException();
        }
    }

    public void Retrieved(ulong number, NodeId node, ulong offset, ReadOnlyMemory<byte> data)
    {
        Calls++;
        Check(Slot.HoldsInput(data), "retrieved data lie outside of their message");
    }

    public ValueTask<Result<EntryOut>> Lookup(RequestContext context, NodeId parent, ReadOnlyMemory<byte> name) =>
        Answer<EntryOut>(context, default, Name(name));

    public ValueTask<Result<AttrOut>> Getattr(RequestContext context, NodeId node, GetattrIn arg) => Answer<AttrOut>(context, default);

    public ValueTask<Result<StatxOut>> Statx(RequestContext context, NodeId node, StatxIn arg) => Answer<StatxOut>(context, default);

    public ValueTask<Result<AttrOut>> Setattr(RequestContext context, NodeId node, SetattrIn arg) => Answer<AttrOut>(context, default);

    public ValueTask<Result<int>> Readlink(RequestContext context, NodeId node, Memory<byte> buffer) => Fill(context, buffer);

    public ValueTask<Errno> Access(RequestContext context, NodeId node, uint mask) => Done(context);

    public ValueTask<Result<EntryOut>> Symlink(
        RequestContext context, NodeId parent, ReadOnlyMemory<byte> name, ReadOnlyMemory<byte> target) =>
        Answer<EntryOut>(context, default, Name(name), target);

    public ValueTask<Result<EntryOut>> Mknod(RequestContext context, NodeId parent, ReadOnlyMemory<byte> name, MknodIn arg) =>
        Answer<EntryOut>(context, default, Name(name));

    public ValueTask<Result<EntryOut>> Mkdir(RequestContext context, NodeId parent, ReadOnlyMemory<byte> name, MkdirIn arg) =>
        Answer<EntryOut>(context, default, Name(name));

    public ValueTask<Errno> Unlink(RequestContext context, NodeId parent, ReadOnlyMemory<byte> name) => Done(context, Name(name));

    public ValueTask<Errno> Rmdir(RequestContext context, NodeId parent, ReadOnlyMemory<byte> name) => Done(context, Name(name));

    public ValueTask<Errno> Rename(
        RequestContext context, NodeId parent, ReadOnlyMemory<byte> name, NodeId newParent, ReadOnlyMemory<byte> newName, RenameFlags flags) =>
        Done(context, Name(name), Name(newName));

    public ValueTask<Result<EntryOut>> Link(RequestContext context, NodeId node, NodeId newParent, ReadOnlyMemory<byte> newName) =>
        Answer<EntryOut>(context, default, Name(newName));

    public ValueTask<Result<Kstatfs>> Statfs(RequestContext context, NodeId node) => Answer<Kstatfs>(context, default);

    public ValueTask<Errno> Syncfs(RequestContext context, NodeId node) => Done(context);

    public ValueTask<Errno> Setxattr(
        RequestContext context, NodeId node, ReadOnlyMemory<byte> name, ReadOnlyMemory<byte> value, SetxattrIn arg)
    {
        Check(value.Length == arg.Size && !name.IsEmpty && !name.Span.Contains((byte)0), "an attribute is not what was announced");
        return Done(context, name, value);
    }

    public ValueTask<Result<int>> Getxattr(RequestContext context, NodeId node, ReadOnlyMemory<byte> name, Memory<byte> buffer)
    {
        Check(!name.IsEmpty && !name.Span.Contains((byte)0), "an attribute's name is none");
        return Fill(context, buffer, name);
    }

    public ValueTask<Result<int>> Listxattr(RequestContext context, NodeId node, Memory<byte> buffer) => Fill(context, buffer);

    public ValueTask<Errno> Removexattr(RequestContext context, NodeId node, ReadOnlyMemory<byte> name) => Done(context, name);

    public ValueTask<Result<OpenOut>> Open(RequestContext context, NodeId node, OpenIn arg) => Answer<OpenOut>(context, default);

    public ValueTask<Result<CreateOut>> Create(RequestContext context, NodeId parent, ReadOnlyMemory<byte> name, CreateIn arg) =>
        Answer<CreateOut>(context, default, Name(name));

    public ValueTask<Result<CreateOut>> Tmpfile(RequestContext context, NodeId parent, CreateIn arg) => Answer<CreateOut>(context, default);

    public ValueTask<Result<int>> Read(RequestContext context, NodeId node, ReadIn arg, Memory<byte> buffer)
    {
        Check(buffer.Length == arg.Size, "a READ's buffer is not as long as asked for");
        return Fill(context, buffer);
    }

    public ValueTask<Result<int>> Write(RequestContext context, NodeId node, WriteIn arg, ReadOnlyMemory<byte> data)
    {
        Check(data.Length == arg.Size, "a WRITE's data are not as long as announced");
        return Answer(context, Step.Mood == FuzzMood.Overstate ? data.Length + 1 : data.Length, data);
    }

    public ValueTask<Errno> Flush(RequestContext context, NodeId node, FlushIn arg) => Done(context);

    public ValueTask<Errno> Release(RequestContext context, NodeId node, ReleaseIn arg) => Done(context);

    public ValueTask<Errno> Fsync(RequestContext context, NodeId node, FsyncIn arg) => Done(context);

    public ValueTask<Result<OpenOut>> Opendir(RequestContext context, NodeId node, OpenIn arg) => Answer<OpenOut>(context, default);

    public ValueTask<Result<int>> Readdir(RequestContext context, NodeId node, ReadIn arg, Memory<byte> buffer)
    {
        Check(buffer.Length <= arg.Size, "a READDIR's buffer is longer than asked for");
        return Fill(context, buffer);
    }

    public ValueTask<Result<int>> Readdirplus(RequestContext context, NodeId node, ReadIn arg, Memory<byte> buffer) =>
        Readdir(context, node, arg, buffer);

    public ValueTask<Errno> Releasedir(RequestContext context, NodeId node, ReleaseIn arg) => Done(context);

    public ValueTask<Errno> Fsyncdir(RequestContext context, NodeId node, FsyncIn arg) => Done(context);

    public ValueTask<Result<FileLock>> Getlk(RequestContext context, NodeId node, LkIn arg) => Answer<FileLock>(context, default);

    public ValueTask<Errno> Setlk(RequestContext context, NodeId node, LkIn arg, bool wait) => Done(context);

    public ValueTask<Result<ulong>> Bmap(RequestContext context, NodeId node, BmapIn arg) => Answer(context, arg.Block);

    public ValueTask<Result<IoctlReply>> Ioctl(
        RequestContext context, NodeId node, IoctlIn arg, ReadOnlyMemory<byte> data, Memory<byte> buffer)
    {
        Check(data.Length == arg.InSize, "an IOCTL's data are not as long as announced");
        Check(Slot.HoldsReply(buffer), "a buffer lies outside of the reply");
        int length = Step.Mood == FuzzMood.Overstate ? buffer.Length + 1 : Step.Chance % (buffer.Length + 1);
        return Act<Result<IoctlReply>>(context, new IoctlReply(default, length), Errno.ENOTTY, [], buffer, [data]);
    }

    public ValueTask<Result<uint>> Poll(RequestContext context, NodeId node, PollIn arg) => Answer(context, arg.Events);

    public ValueTask<Errno> Fallocate(RequestContext context, NodeId node, FallocateIn arg) => Done(context);

    public ValueTask<Result<ulong>> Lseek(RequestContext context, NodeId node, LseekIn arg) => Answer(context, arg.Offset);

    public ValueTask<Result<ulong>> CopyFileRange(RequestContext context, NodeId node, CopyFileRangeIn arg) => Answer(context, arg.Len);

    private ReadOnlyMemory<byte> Name(ReadOnlyMemory<byte> name)
    {
        Check(!name.IsEmpty && !name.Span.ContainsAny((byte)0, (byte)'/'), "a name is none");
        return name;
    }
}
