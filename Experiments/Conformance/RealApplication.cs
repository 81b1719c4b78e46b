using System.Buffers.Binary;
using System.Text;
using Harness.Runtime.Native;

namespace Harness.Experiments.Conformance;

/// <summary>Makes a script's calls on a real mount: each is one system call, made by its number, with nothing of a library's around it.</summary>
/// <param name="root">The mount point.</param>
internal sealed class RealApplication(string root) : IDisposable
{
    private const int PathBytes = 8192;
    private const int DataOffset = 2 * PathBytes;
    private const int StatSizeOffset = 48;
    private const int LargeFile = 0x8000;
    private const long CurrentDirectory = -100;

    private readonly Dictionary<string, int> _handles = [];
    private readonly NativeBuffer _memory = new(DataOffset + ScriptData.BytesMax);

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (int descriptor in _handles.Values.Where(descriptor => descriptor >= 0))
        {
            Call(SystemCall.Close, descriptor);
        }

        ((IDisposable)_memory).Dispose();
    }

    /// <summary>Makes one call; returns what it came to.</summary>
    public string Run(ScriptStep step, int number)
    {
        if (step.Name is "read" or "pread")
        {
            bool isAt = step.Name == "pread";
            Span<byte> buffer = Data(step[isAt ? 2 : 1]);
            long read = isAt
                ? Call(SystemCall.Pread, Handle(step), DataAddress, buffer.Length, step[1])
                : Call(SystemCall.Read, Handle(step), DataAddress, buffer.Length);
            return Outcome(read, read > 0 ? buffer[..(int)read] : []);
        }

        if (step.Name == "aio")
        {
            return Burst(step, number);
        }

        return Outcome(step.Call.Arguments[0] == ScriptArgument.Handle ? OnHandle(step, number) : OnPath(step, number), []);
    }

    private nint DataAddress => _memory.Address + DataOffset;

    private static string Outcome(long result, ReadOnlySpan<byte> read) =>
        result < 0 ? $"{(Mono.Unix.Native.Errno)(-result)}" : ScriptData.Outcome(result, read);

    /// <summary>Makes a system call; returns its result, or its errno negated.</summary>
    private static long Call(long number, long a = 0, long b = 0, long c = 0, long d = 0, long e = 0)
    {
        long result = Libc.Syscall(number, (nint)a, (nint)b, (nint)c, (nint)d, (nint)e, 0);
        return result < 0 ? -(long)Libc.LastErrno : result;
    }

    private int Handle(ScriptStep step, int index = 0) => _handles.GetValueOrDefault(step.Words[index], -1);

    private Span<byte> Data(long bytes) => _memory.GetSpan().Slice(DataOffset, (int)bytes);

    private nint Path(string path, int place = 0) => Text($"{root}/{path}", place);

    private nint Text(string text, int place)
    {
        Span<byte> bytes = _memory.GetSpan().Slice(place * PathBytes, PathBytes);
        int length = Encoding.UTF8.GetBytes(text, bytes);
        bytes[length] = 0;
        return _memory.Address + (place * PathBytes);
    }

    private string Burst(ScriptStep step, int number)
    {
        long flags = step.Call.Combine(step.Flags);
        bool isWrite = (flags & 1) != 0;
        int count = (int)step[3];
        Span<byte> data = Data(step[2] * count);
        if (isWrite)
        {
            for (int i = 0; i < count; i++)
            {
                ScriptData.Fill(data.Slice(i * (int)step[2], (int)step[2]), number + i);
            }
        }

        long sum = AsyncIo.Run(Handle(step), isWrite, DataAddress, step[1], (int)step[2], count, i => ScriptBurst.Place(i, count, flags));
        return Outcome(sum, isWrite ? [] : data);
    }

    private long OnHandle(ScriptStep step, int number)
    {
        long flags = step.Call.Combine(step.Flags);
        long file = Handle(step);
        switch (step.Name)
        {
            case "open":
                const uint mode = 0b110_100_100;
                return Keep(step, Call(SystemCall.Open, Path(step.Words[1]), flags | LargeFile, mode));
            case "dup":
                return Keep(step, Call(SystemCall.Dup, Handle(step, 1)));
            case "close":
                _handles.Remove(step.Words[0]);
                return Call(SystemCall.Close, file);
            case "write" or "pwrite":
                bool isAt = step.Name == "pwrite";
                Span<byte> data = Data(step[isAt ? 2 : 1]);
                ScriptData.Fill(data, number);
                return isAt
                    ? Call(SystemCall.Pwrite, file, DataAddress, data.Length, step[1])
                    : Call(SystemCall.Write, file, DataAddress, data.Length);
            case "fstat":
                long error = Call(SystemCall.Fstat, file, DataAddress);
                return error == 0 ? SizeInStat() : error;
            case "lock":
                return Lock(file, flags, step[1], step[2]);
            default:
                return OnHandleDirectly(step, file, flags);
        }
    }

    private long OnHandleDirectly(ScriptStep step, long file, long flags) => step.Name switch
    {
        "fsync" => Call(SystemCall.Fsync, file),
        "fdatasync" => Call(SystemCall.Fdatasync, file),
        "ftruncate" => Call(SystemCall.Ftruncate, file, step[1]),
        "fallocate" => Call(SystemCall.Fallocate, file, flags, step[1], step[2]),
        "lseek" => Call(SystemCall.Lseek, file, step[1], flags),
        "fadvise" => Call(SystemCall.Fadvise, file, step[1], step[2], flags),
        "flock" => Call(SystemCall.Flock, file, flags),
        "getdents" => Call(SystemCall.Getdents, file, DataAddress, step[1]),
        _ => throw new NotSupportedException($"The call {step.Name} has no real side."),
    };

    private long OnPath(ScriptStep step, int number)
    {
        string path = step.Words[0];
        return step.Name switch
        {
            "stat" => Stat(path, 0),
            "lstat" => Stat(path, 0x100),
            "access" => Call(SystemCall.Access, Path(path), step[1]),
            "mkdir" => Call(SystemCall.Mkdir, Path(path), step[1]),
            "mknod" => Call(SystemCall.Mknod, Path(path), step[1] | 0x8000, 0),
            "rmdir" => Call(SystemCall.Rmdir, Path(path)),
            "unlink" => Call(SystemCall.Unlink, Path(path)),
            "rename" => Call(
                SystemCall.Rename, CurrentDirectory, Path(path), CurrentDirectory, Path(step.Words[1], 1), step.Call.Combine(step.Flags)),
            "link" => Call(SystemCall.Link, Path(path), Path(step.Words[1], 1)),
            "symlink" => Call(SystemCall.Symlink, Text(path, 0), Path(step.Words[1], 1)),
            "readlink" => Call(SystemCall.Readlink, Path(path), DataAddress, 4096),
            "chmod" => Call(SystemCall.Chmod, Path(path), step[1]),
            "chown" => Call(SystemCall.Chown, Path(path), step[1], step[2]),
            "utimes" => SetTimes(path, step[1], step[2]),
            "truncate" => Call(SystemCall.Truncate, Path(path), step[1]),
            "statfs" => Call(SystemCall.Statfs, Path(path), DataAddress),
            "setxattr" => SetXattr(step, number),
            "getxattr" => Call(SystemCall.Getxattr, Path(path), Text(step.Words[1], 1), DataAddress, step[2]),
            "removexattr" => Call(SystemCall.Removexattr, Path(path), Text(step.Words[1], 1)),
            "listxattr" => Call(SystemCall.Listxattr, Path(path), DataAddress, step[1]),
            _ => throw new NotSupportedException($"The call {step.Name} has no real side."),
        };
    }

    private long Keep(ScriptStep step, long result)
    {
        _handles[step.Words[0]] = (int)Math.Max(-1, result);
        return Math.Min(result, 0);
    }

    private long Stat(string path, long flags)
    {
        long error = Call(SystemCall.Newfstatat, CurrentDirectory, Path(path), DataAddress, flags);
        return error == 0 ? SizeInStat() : error;
    }

    private long SizeInStat() => BinaryPrimitives.ReadInt64LittleEndian(Data(StatSizeOffset + sizeof(long))[StatSizeOffset..]);

    private long SetTimes(string path, long accessed, long modified)
    {
        Span<byte> times = Data(32);
        times.Clear();
        BinaryPrimitives.WriteInt64LittleEndian(times, accessed);
        BinaryPrimitives.WriteInt64LittleEndian(times[16..], modified);
        return Call(SystemCall.Utimensat, CurrentDirectory, Path(path), DataAddress, 0);
    }

    private long SetXattr(ScriptStep step, int number)
    {
        ScriptData.Fill(Data(step[2]), number);
        return Call(SystemCall.Setxattr, Path(step.Words[0]), Text(step.Words[1], 1), DataAddress, step[2], 0);
    }

    private long Lock(long file, long type, long start, long length)
    {
        const int setLock = 6;
        Span<byte> flock = Data(32);
        flock.Clear();
        BinaryPrimitives.WriteInt16LittleEndian(flock, (short)type);
        BinaryPrimitives.WriteInt64LittleEndian(flock[8..], start);
        BinaryPrimitives.WriteInt64LittleEndian(flock[16..], length);
        return Call(SystemCall.Fcntl, file, setLock, DataAddress);
    }
}

/// <summary>Numbers of system calls on x86-64 (arch/x86/entry/syscalls/syscall_64.tbl).</summary>
internal static class SystemCall
{
    public const long Read = 0;
    public const long Write = 1;
    public const long Open = 2;
    public const long Close = 3;
    public const long Fstat = 5;
    public const long Lseek = 8;
    public const long Pread = 17;
    public const long Pwrite = 18;
    public const long Access = 21;
    public const long Dup = 32;
    public const long Fcntl = 72;
    public const long Flock = 73;
    public const long Fsync = 74;
    public const long Fdatasync = 75;
    public const long Truncate = 76;
    public const long Ftruncate = 77;
    public const long Mkdir = 83;
    public const long Rmdir = 84;
    public const long Link = 86;
    public const long Unlink = 87;
    public const long Symlink = 88;
    public const long Readlink = 89;
    public const long Chmod = 90;
    public const long Chown = 92;
    public const long Mknod = 133;
    public const long Statfs = 137;
    public const long Setxattr = 188;
    public const long Getxattr = 191;
    public const long Listxattr = 194;
    public const long Removexattr = 197;
    public const long IoSetup = 206;
    public const long IoDestroy = 207;
    public const long IoGetevents = 208;
    public const long IoSubmit = 209;
    public const long Getdents = 217;
    public const long Fadvise = 221;
    public const long Newfstatat = 262;
    public const long Utimensat = 280;
    public const long Fallocate = 285;
    public const long Rename = 316;
}
