using System.Text;
using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;
using Mono.Unix.Native;

namespace Harness.Tests.FuseProtocol;

internal sealed partial class RecordingFileSystem
{
    public ValueTask<Result<EntryOut>> Lookup(RequestContext context, NodeId parent, ReadOnlyMemory<byte> name) =>
        Answer(context, name.Span.SequenceEqual("missing"u8) ? Errno.ENOENT : (Result<EntryOut>)s_entry, $"Lookup {parent} {Text(name)}");

    public ValueTask<Result<AttrOut>> Getattr(RequestContext context, NodeId node, GetattrIn arg) =>
        Answer<AttrOut>(context, new AttrOut { AttrValid = 2, AttrValidNsec = 600, Attr = s_attr }, $"Getattr {node} {Fields(arg)}");

    public ValueTask<Result<StatxOut>> Statx(RequestContext context, NodeId node, StatxIn arg)
    {
        var stat = new Statx
        {
            Mask = 0xFFF,
            Blksize = 4096,
            Attributes = 0x10,
            Nlink = 2,
            Uid = 1000,
            Gid = 1001,
            Mode = 0x81A4,
            Ino = 17,
            Size = 8192,
            Blocks = 16,
            AttributesMask = 0x30,
            Atime = new SxTime { TvSec = 1_000_000_001, TvNsec = 101 },
            Btime = new SxTime { TvSec = 1_000_000_004, TvNsec = 104 },
            Ctime = new SxTime { TvSec = 1_000_000_003, TvNsec = 103 },
            Mtime = new SxTime { TvSec = 1_000_000_002, TvNsec = 102 },
            RdevMajor = 1,
            RdevMinor = 2,
            DevMajor = 3,
            DevMinor = 4,
        };
        return Answer<StatxOut>(context, new StatxOut { AttrValid = 2, AttrValidNsec = 600, Stat = stat }, $"Statx {node} {Fields(arg)}");
    }

    public ValueTask<Result<AttrOut>> Setattr(RequestContext context, NodeId node, SetattrIn arg) =>
        Answer<AttrOut>(context, new AttrOut { AttrValid = 2, AttrValidNsec = 600, Attr = s_attr }, $"Setattr {node} {Fields(arg)}");

    public ValueTask<Result<int>> Readlink(RequestContext context, NodeId node, Memory<byte> buffer) =>
        Fill(context, buffer, Encoding.UTF8.GetBytes(LinkTarget), $"Readlink {node} into {buffer.Length}");

    public ValueTask<Errno> Access(RequestContext context, NodeId node, uint mask) => Done(context, $"Access {node} {mask}");

    public ValueTask<Result<EntryOut>> Symlink(
        RequestContext context, NodeId parent, ReadOnlyMemory<byte> name, ReadOnlyMemory<byte> target) =>
        Answer<EntryOut>(context, s_entry, $"Symlink {parent} {Text(name)} to {Text(target)}");

    public ValueTask<Result<EntryOut>> Mknod(RequestContext context, NodeId parent, ReadOnlyMemory<byte> name, MknodIn arg) =>
        Answer<EntryOut>(context, s_entry, $"Mknod {parent} {Text(name)} {Fields(arg)}");

    public ValueTask<Result<EntryOut>> Mkdir(RequestContext context, NodeId parent, ReadOnlyMemory<byte> name, MkdirIn arg) =>
        Answer<EntryOut>(context, s_entry, $"Mkdir {parent} {Text(name)} {Fields(arg)}");

    public ValueTask<Errno> Unlink(RequestContext context, NodeId parent, ReadOnlyMemory<byte> name) =>
        Done(context, $"Unlink {parent} {Text(name)}");

    public ValueTask<Errno> Rmdir(RequestContext context, NodeId parent, ReadOnlyMemory<byte> name) =>
        Done(context, $"Rmdir {parent} {Text(name)}");

    public ValueTask<Errno> Rename(
        RequestContext context, NodeId parent, ReadOnlyMemory<byte> name, NodeId newParent, ReadOnlyMemory<byte> newName, RenameFlags flags) =>
        Done(context, $"Rename {parent} {Text(name)} to {newParent} {Text(newName)} {flags}");

    public ValueTask<Result<EntryOut>> Link(RequestContext context, NodeId node, NodeId newParent, ReadOnlyMemory<byte> newName) =>
        Answer<EntryOut>(context, s_entry, $"Link {node} to {newParent} {Text(newName)}");

    public ValueTask<Result<Kstatfs>> Statfs(RequestContext context, NodeId node)
    {
        var totals = new Kstatfs
        {
            Blocks = 1000,
            Bfree = 900,
            Bavail = 800,
            Files = 70,
            Ffree = 60,
            Bsize = 4096,
            Namelen = 255,
            Frsize = 4096,
        };
        return Answer<Kstatfs>(context, totals, $"Statfs {node}");
    }

    public ValueTask<Errno> Syncfs(RequestContext context, NodeId node) => Done(context, $"Syncfs {node}");

    public ValueTask<Errno> Setxattr(
        RequestContext context, NodeId node, ReadOnlyMemory<byte> name, ReadOnlyMemory<byte> value, SetxattrIn arg) =>
        Done(context, $"Setxattr {node} {Text(name)} {Text(value)} {Fields(arg)}");

    public ValueTask<Result<int>> Getxattr(RequestContext context, NodeId node, ReadOnlyMemory<byte> name, Memory<byte> buffer)
    {
        // A file system may write the value before it has done with the name.
        buffer.Span.Fill((byte)'!');
        return Fill(context, buffer, "value"u8.ToArray(), $"Getxattr {node} {Text(name)} into {buffer.Length}");
    }

    public ValueTask<Result<int>> Listxattr(RequestContext context, NodeId node, Memory<byte> buffer) =>
        Fill(context, buffer, "user.a/b\0"u8.ToArray(), $"Listxattr {node} into {buffer.Length}");

    public ValueTask<Errno> Removexattr(RequestContext context, NodeId node, ReadOnlyMemory<byte> name) =>
        Done(context, $"Removexattr {node} {Text(name)}");

    public ValueTask<Result<OpenOut>> Open(RequestContext context, NodeId node, OpenIn arg) =>
        Answer<OpenOut>(context, s_open, $"Open {node} {Fields(arg)}");

    public ValueTask<Result<CreateOut>> Create(RequestContext context, NodeId parent, ReadOnlyMemory<byte> name, CreateIn arg) =>
        Answer<CreateOut>(context, new CreateOut { Entry = s_entry, Open = s_open }, $"Create {parent} {Text(name)} {Fields(arg)}");

    public ValueTask<Result<CreateOut>> Tmpfile(RequestContext context, NodeId parent, CreateIn arg) =>
        Answer<CreateOut>(context, new CreateOut { Entry = s_entry, Open = s_open }, $"Tmpfile {parent} {Fields(arg)}");

    public ValueTask<Result<int>> Read(RequestContext context, NodeId node, ReadIn arg, Memory<byte> buffer) =>
        Fill(context, buffer, Encoding.UTF8.GetBytes(Content), $"Read {node} {Fields(arg)} into {buffer.Length}");

    public ValueTask<Result<int>> Write(RequestContext context, NodeId node, WriteIn arg, ReadOnlyMemory<byte> data) =>
        Answer<int>(context, Length ?? data.Length, $"Write {node} {Fields(arg)} {Text(data)}");

    public ValueTask<Errno> Flush(RequestContext context, NodeId node, FlushIn arg) => Done(context, $"Flush {node} {Fields(arg)}");

    public ValueTask<Errno> Release(RequestContext context, NodeId node, ReleaseIn arg) => Done(context, $"Release {node} {Fields(arg)}");

    public ValueTask<Errno> Fsync(RequestContext context, NodeId node, FsyncIn arg) => Done(context, $"Fsync {node} {Fields(arg)}");

    public ValueTask<Result<OpenOut>> Opendir(RequestContext context, NodeId node, OpenIn arg) =>
        Answer<OpenOut>(context, s_open, $"Opendir {node} {Fields(arg)}");

    public ValueTask<Result<int>> Readdir(RequestContext context, NodeId node, ReadIn arg, Memory<byte> buffer)
    {
        byte[] names = new byte[buffer.Length];
        var writer = new DirentWriter(names);
        writer.TryAdd("foo"u8, 17, 0x81A4, 1);
        writer.TryAdd("longname"u8, 18, 0x41ED, 2);
        return Fill(context, buffer, names.AsMemory(0, writer.Length), $"Readdir {node} {Fields(arg)} into {buffer.Length}");
    }

    public ValueTask<Result<int>> Readdirplus(RequestContext context, NodeId node, ReadIn arg, Memory<byte> buffer)
    {
        byte[] names = new byte[buffer.Length];
        var writer = new DirentWriter(names);
        writer.TryAddPlus("foo"u8, in s_entry, 1);
        return Fill(context, buffer, names.AsMemory(0, writer.Length), $"Readdirplus {node} {Fields(arg)} into {buffer.Length}");
    }

    public ValueTask<Errno> Releasedir(RequestContext context, NodeId node, ReleaseIn arg) =>
        Done(context, $"Releasedir {node} {Fields(arg)}");

    public ValueTask<Errno> Fsyncdir(RequestContext context, NodeId node, FsyncIn arg) => Done(context, $"Fsyncdir {node} {Fields(arg)}");

    public ValueTask<Result<FileLock>> Getlk(RequestContext context, NodeId node, LkIn arg) =>
        Answer<FileLock>(context, new FileLock { Start = 100, End = 149, Pid = 4321 }, $"Getlk {node} {Fields(arg)}");

    public ValueTask<Errno> Setlk(RequestContext context, NodeId node, LkIn arg, bool wait) =>
        Done(context, $"Setlk {node} {Fields(arg)}{(wait ? " and wait" : string.Empty)}");

    public ValueTask<Result<ulong>> Bmap(RequestContext context, NodeId node, BmapIn arg) =>
        Answer<ulong>(context, arg.Block + 100, $"Bmap {node} {Fields(arg)}");

    public ValueTask<Result<IoctlReply>> Ioctl(
        RequestContext context, NodeId node, IoctlIn arg, ReadOnlyMemory<byte> data, Memory<byte> buffer)
    {
        buffer.Span.Fill((byte)'!');
        "pong"u8.CopyTo(buffer.Span);
        return Answer<IoctlReply>(
            context, new IoctlReply(new IoctlOut { Result = 9 }, Length ?? 4), $"Ioctl {node} {Fields(arg)} {Text(data)} into {buffer.Length}");
    }

    public ValueTask<Result<uint>> Poll(RequestContext context, NodeId node, PollIn arg) =>
        Answer<uint>(context, 1, $"Poll {node} {Fields(arg)}");

    public ValueTask<Errno> Fallocate(RequestContext context, NodeId node, FallocateIn arg) =>
        Done(context, $"Fallocate {node} {Fields(arg)}");

    public ValueTask<Result<ulong>> Lseek(RequestContext context, NodeId node, LseekIn arg) =>
        Answer<ulong>(context, arg.Offset + 4096, $"Lseek {node} {Fields(arg)}");

    public ValueTask<Result<ulong>> CopyFileRange(RequestContext context, NodeId node, CopyFileRangeIn arg) =>
        Answer<ulong>(context, arg.Len, $"CopyFileRange {node} {Fields(arg)}");
}
