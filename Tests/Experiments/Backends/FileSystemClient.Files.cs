using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;
using Mono.Unix.Native;
using Dirent = Harness.FuseProtocol.Wire.Dirent;

namespace Harness.Tests.Experiments.Backends;

/// <summary>A name as a listing gave it.</summary>
internal readonly record struct Listed(string Name, ulong Ino, uint Type, ulong NextOffset, EntryOut Entry);

/// <content>What is done with open files and directories, extended attributes and locks.</content>
internal sealed partial class FileSystemClient
{
    public Result<OpenOut> Open(ulong node, OpenFlags flags = OpenFlags.O_RDWR, OpenInFlags openFlags = OpenInFlags.None) =>
        Wait(_fileSystem.Open(_context, new(node), new OpenIn { Flags = (uint)flags, OpenFlags = openFlags }));

    public Result<byte[]> Read(ulong node, ulong offset, int size)
    {
        byte[] buffer = new byte[size];
        buffer.AsSpan().Fill(0xEE);
        ulong fh = Open(node).Ok().Fh;
        Result<int> length = Wait(_fileSystem.Read(_context, new(node), new ReadIn { Fh = fh, Offset = offset, Size = (uint)size }, buffer));
        Wait(_fileSystem.Release(_context, new(node), new ReleaseIn { Fh = fh }));
        return length.IsOk ? buffer[..length.Value] : length.Error;
    }

    public string ReadText(ulong node) => Encoding.UTF8.GetString(Read(node, 0, 1 << 20).Ok());

    public Result<int> Write(ulong node, ulong offset, byte[] data, OpenFlags flags = OpenFlags.O_RDWR, WriteFlags writeFlags = WriteFlags.None)
    {
        ulong fh = Open(node).Ok().Fh;
        var arg = new WriteIn { Fh = fh, Offset = offset, Size = (uint)data.Length, Flags = (uint)flags, WriteFlags = writeFlags };
        Result<int> written = Wait(_fileSystem.Write(_context, new(node), arg, data));
        Wait(_fileSystem.Release(_context, new(node), new ReleaseIn { Fh = fh }));
        return written;
    }

    public Result<int> Write(ulong node, ulong offset, string text) => Write(node, offset, Bytes(text));

    public Errno Fallocate(ulong node, FallocateMode mode, ulong offset, ulong length)
    {
        ulong fh = Open(node).Ok().Fh;
        var arg = new FallocateIn { Fh = fh, Mode = mode, Offset = offset, Length = length };
        Errno error = Wait(_fileSystem.Fallocate(_context, new(node), arg));
        Wait(_fileSystem.Release(_context, new(node), new ReleaseIn { Fh = fh }));
        return error;
    }

    public Result<ulong> SeekData(ulong node, ulong offset) => Lseek(node, offset, whence: 3);

    public Result<ulong> SeekHole(ulong node, ulong offset) => Lseek(node, offset, whence: 4);

    public Result<ulong> Lseek(ulong node, ulong offset, uint whence)
    {
        ulong fh = Open(node).Ok().Fh;
        Result<ulong> found = Wait(_fileSystem.Lseek(_context, new(node), new LseekIn { Fh = fh, Offset = offset, Whence = whence }));
        Wait(_fileSystem.Release(_context, new(node), new ReleaseIn { Fh = fh }));
        return found;
    }

    public Result<ulong> CopyFileRange(ulong node, ulong offset, ulong target, ulong newOffset, ulong length)
    {
        (ulong fh, ulong targetFh) = (Open(node).Ok().Fh, Open(target).Ok().Fh);
        var arg = new CopyFileRangeIn
        {
            FhIn = fh,
            OffIn = offset,
            NodeidOut = target,
            FhOut = targetFh,
            OffOut = newOffset,
            Len = length,
        };
        Result<ulong> copied = Wait(_fileSystem.CopyFileRange(_context, new(node), arg));
        Wait(_fileSystem.Release(_context, new(node), new ReleaseIn { Fh = fh }));
        Wait(_fileSystem.Release(_context, new(target), new ReleaseIn { Fh = targetFh }));
        return copied;
    }

    public Result<ulong> Opendir(ulong node)
    {
        Result<OpenOut> opened = Wait(_fileSystem.Opendir(_context, new(node), default));
        return opened.IsOk ? opened.Value.Fh : opened.Error;
    }

    public void Releasedir(ulong node, ulong fh) => Wait(_fileSystem.Releasedir(_context, new(node), new ReleaseIn { Fh = fh }));

    public Result<List<Listed>> Readdir(ulong node, ulong fh, ulong offset, int size = 4096, bool plus = false)
    {
        byte[] buffer = new byte[size];
        var arg = new ReadIn { Fh = fh, Offset = offset, Size = (uint)size };
        Result<int> length = Wait(plus
            ? _fileSystem.Readdirplus(_context, new(node), arg, buffer)
            : _fileSystem.Readdir(_context, new(node), arg, buffer));
        return length.IsOk ? ParseDirents(buffer.AsSpan(0, length.Value), plus) : length.Error;
    }

    /// <summary>All names of a directory, without <c>.</c> and <c>..</c>, in the order in which they are listed.</summary>
    public List<string> List(ulong node, int size = 4096, bool plus = false) =>
        [.. ListAll(node, size, plus).Select(listed => listed.Name).Where(name => name is not ("." or ".."))];

    public List<Listed> ListAll(ulong node, int size = 4096, bool plus = false)
    {
        ulong fh = Opendir(node).Ok();
        var all = new List<Listed>();
        ulong offset = 0;
        while (Readdir(node, fh, offset, size, plus).Ok() is { Count: > 0 } some)
        {
            all.AddRange(some);
            offset = some[^1].NextOffset;
        }

        Releasedir(node, fh);
        return all;
    }

    public Errno Setxattr(ulong node, string name, byte[] value, XattrFlags flags = XattrFlags.XATTR_AUTO, bool killSgid = false)
    {
        var arg = new SetxattrIn
        {
            Size = (uint)value.Length,
            Flags = (uint)flags,
            SetxattrFlags = killSgid ? SetxattrExtFlags.AclKillSgid : SetxattrExtFlags.None,
        };
        return Wait(_fileSystem.Setxattr(_context, new(node), Bytes(name), value, arg));
    }

    public Result<byte[]> Getxattr(ulong node, string name)
    {
        Result<int> size = Wait(_fileSystem.Getxattr(_context, new(node), Bytes(name), Memory<byte>.Empty));
        if (!size.IsOk)
        {
            return size.Error;
        }

        byte[] value = new byte[size.Value];
        Wait(_fileSystem.Getxattr(_context, new(node), Bytes(name), value)).Ok();
        return value;
    }

    public Result<int> Getxattr(ulong node, string name, Memory<byte> buffer) =>
        Wait(_fileSystem.Getxattr(_context, new(node), Bytes(name), buffer));

    public Result<int> Listxattr(ulong node, Memory<byte> buffer) => Wait(_fileSystem.Listxattr(_context, new(node), buffer));

    public List<string> Listxattr(ulong node)
    {
        byte[] buffer = new byte[Listxattr(node, Memory<byte>.Empty).Ok()];
        Listxattr(node, buffer).Ok();
        return [.. Encoding.UTF8.GetString(buffer).Split('\0', StringSplitOptions.RemoveEmptyEntries)];
    }

    public Errno Removexattr(ulong node, string name) => Wait(_fileSystem.Removexattr(_context, new(node), Bytes(name)));

    public ValueTask<Errno> Lock(
        ulong node, ulong owner, LockType type, ulong start, ulong end, bool wait = false, bool flock = false, ulong fh = 0) =>
        _fileSystem.Setlk(_context, new(node), LockArg(owner, type, start, end, flock) with { Fh = fh }, wait);

    public Errno LockNow(ulong node, ulong owner, LockType type, ulong start, ulong end, bool flock = false, ulong fh = 0) =>
        Wait(Lock(node, owner, type, start, end, wait: false, flock, fh));

    public Result<FileLock> Getlk(ulong node, ulong owner, LockType type, ulong start, ulong end) =>
        Wait(_fileSystem.Getlk(_context, new(node), LockArg(owner, type, start, end, flock: false)));

    public Errno Flush(ulong node, ulong owner) => Wait(_fileSystem.Flush(_context, new(node), new FlushIn { LockOwner = owner }));

    public Errno Release(ulong node, ulong fh) => Wait(_fileSystem.Release(_context, new(node), new ReleaseIn { Fh = fh }));

    public Errno ReleaseFlock(ulong node, ulong owner) =>
        Wait(_fileSystem.Release(_context, new(node), new ReleaseIn { ReleaseFlags = ReleaseFlags.FlockUnlock, LockOwner = owner }));

    private static LkIn LockArg(ulong owner, LockType type, ulong start, ulong end, bool flock) => new()
    {
        Owner = owner,
        Lk = new FileLock { Start = start, End = end, Type = (uint)type, Pid = (uint)owner },
        LkFlags = flock ? LkFlags.Flock : LkFlags.None,
    };

    private List<Listed> ParseDirents(ReadOnlySpan<byte> bytes, bool plus)
    {
        var all = new List<Listed>();
        int header = Unsafe.SizeOf<Dirent>();
        while (!bytes.IsEmpty)
        {
            EntryOut entry = plus ? MemoryMarshal.Read<EntryOut>(bytes) : default;
            bytes = bytes[(plus ? Unsafe.SizeOf<EntryOut>() : 0)..];
            Dirent dirent = MemoryMarshal.Read<Dirent>(bytes);
            string name = Encoding.UTF8.GetString(bytes.Slice(header, (int)dirent.Namelen));
            all.Add(new Listed(name, dirent.Ino, dirent.Type, dirent.Off, entry));
            Count(entry);
            bytes = bytes[Protocol.Align(header + (int)dirent.Namelen)..];
        }

        return all;
    }
}
