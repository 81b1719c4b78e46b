using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;
using Harness.Transport.Simulated;
using Harness.Transport.Simulated.Calls;
using Harness.Transport.Simulated.Files;

namespace Harness.Experiments.Conformance;

/// <summary>Makes a script's calls on the simulated kernel.</summary>
internal sealed class SimulatedApplication(SystemCalls calls)
{
    private readonly Dictionary<string, int> _handles = [];

    /// <summary>Makes one call; returns what it came to.</summary>
    public async ValueTask<string> Run(KernelTask task, ScriptStep step, int number)
    {
        if (step.Name is "read" or "pread")
        {
            return await Read(task, step);
        }

        if (step.Name == "aio")
        {
            return await Burst(task, step, number);
        }

        Result<long> result = await (step.Call.Arguments[0] == ScriptArgument.Handle
            ? OnHandle(task, step, number)
            : OnPath(task, step, number));
        return result.IsOk ? ScriptData.Outcome(result.Value, []) : $"{result.Error}";
    }

    private int Handle(ScriptStep step, int index = 0) => _handles.GetValueOrDefault(step.Words[index], -1);

    private async ValueTask<string> Read(KernelTask task, ScriptStep step)
    {
        bool isAt = step.Name == "pread";
        byte[] buffer = new byte[step[isAt ? 2 : 1]];
        Result<long> read = await calls.Read(task, Handle(step), buffer, isAt ? step[1] : null);
        return read.IsOk ? ScriptData.Outcome(read.Value, buffer.AsSpan(0, (int)read.Value)) : $"{read.Error}";
    }

    private async ValueTask<string> Burst(KernelTask task, ScriptStep step, int number)
    {
        var context = new AioContext();
        long flags = step.Call.Combine(step.Flags);
        bool isWrite = (flags & 1) != 0;
        int size = (int)step[2];
        var buffers = new List<byte[]>();
        calls.EnterSubmit(task);
        for (int i = 0; i < step[3]; i++)
        {
            byte[] buffer = new byte[size];
            if (isWrite)
            {
                ScriptData.Fill(buffer, number + i);
            }

            buffers.Add(buffer);
            await calls.Submit(task, context, Handle(step), buffer, step[1] + (size * ScriptBurst.Place(i, (int)step[3], flags)), isWrite, i);
        }

        long sum = 0;
        while (context.Pending > 0)
        {
            AioCompletion completion = await calls.GetEvent(task, context);
            sum += completion.Result.IsOk ? completion.Result.Value : -(long)completion.Result.Error;
        }

        return ScriptData.Outcome(sum, isWrite ? [] : buffers.SelectMany(buffer => buffer).ToArray());
    }

    private async ValueTask<Result<long>> OnHandle(KernelTask task, ScriptStep step, int number)
    {
        long flags = step.Call.Combine(step.Flags);
        int file = Handle(step);
        switch (step.Name)
        {
            case "open":
                Result<long> opened = await calls.Open(task, step.Words[1], (OpenFileFlags)flags, 0b110_100_100);
                _handles[step.Words[0]] = opened.IsOk ? (int)opened.Value : -1;
                return opened.IsOk ? 0 : opened.Error;
            case "dup":
                Result<long> copied = await calls.Duplicate(task, Handle(step, 1));
                _handles[step.Words[0]] = copied.IsOk ? (int)copied.Value : -1;
                return copied.IsOk ? 0 : copied.Error;
            case "close":
                return await calls.Close(task, file);
            case "write" or "pwrite":
                bool isAt = step.Name == "pwrite";
                byte[] data = new byte[step[isAt ? 2 : 1]];
                ScriptData.Fill(data, number);
                return await calls.Write(task, file, data, isAt ? step[1] : null);
            case "fsync" or "fdatasync":
                return await calls.Fsync(task, file, step.Name == "fdatasync");
            case "ftruncate":
                return await calls.Ftruncate(task, file, step[1]);
            case "fallocate":
                return await calls.Fallocate(task, file, (FallocateMode)flags, step[1], step[2]);
            case "lseek":
                return await calls.Seek(task, file, step[1], (int)flags);
            case "fadvise":
                return await calls.Advise(task, file, step[1], step[2], (int)flags);
            case "flock":
                return await calls.Flock(task, file, (int)flags);
            case "lock":
                return await calls.Lock(task, file, (uint)flags, step[1], step[2]);
            case "fstat":
                return await calls.Fstat(task, file);
            case "getdents":
                return await calls.ListDirectory(task, file, (int)step[1]);
            default:
                throw new NotSupportedException($"The call {step.Name} is not modelled.");
        }
    }

    private ValueTask<Result<long>> OnPath(KernelTask task, ScriptStep step, int number)
    {
        const uint regular = 0x8000;
        string path = step.Words[0];
        return step.Name switch
        {
            "stat" => calls.Stat(task, path, follow: true),
            "lstat" => calls.Stat(task, path, follow: false),
            "access" => calls.Access(task, path, Octal(step, 1)),
            "mkdir" => calls.Mkdir(task, path, Octal(step, 1)),
            "mknod" => calls.Mknod(task, path, Octal(step, 1) | regular, 0),
            "rmdir" => calls.Rmdir(task, path),
            "unlink" => calls.Unlink(task, path),
            "rename" => calls.Rename(task, path, step.Words[1], (RenameFlags)step.Call.Combine(step.Flags)),
            "link" => calls.Link(task, path, step.Words[1]),
            "symlink" => calls.Symlink(task, path, step.Words[1]),
            "readlink" => calls.Readlink(task, path),
            "chmod" => calls.Chmod(task, path, Octal(step, 1)),
            "chown" => calls.Chown(task, path, (uint)step[1], (uint)step[2]),
            "utimes" => calls.SetTimes(task, path, (ulong)step[1], (ulong)step[2]),
            "truncate" => calls.Truncate(task, path, step[1]),
            "statfs" => calls.Statfs(task, path),
            "setxattr" => SetXattr(task, step, number),
            "getxattr" => calls.GetXattr(task, path, step.Words[1], (int)step[2]),
            "removexattr" => calls.RemoveXattr(task, path, step.Words[1]),
            "listxattr" => calls.ListXattr(task, path, (int)step[1]),
            _ => throw new NotSupportedException($"The call {step.Name} is not modelled."),
        };
    }

    private ValueTask<Result<long>> SetXattr(KernelTask task, ScriptStep step, int number)
    {
        byte[] value = new byte[step[2]];
        ScriptData.Fill(value, number);
        return calls.SetXattr(task, step.Words[0], step.Words[1], value, 0);
    }

    private static uint Octal(ScriptStep step, int index) => (uint)step[index];
}

/// <summary>Where the reads or writes of a burst go.</summary>
internal static class ScriptBurst
{
    private const long Random = 2;
    private const int Stride = 7919;

    /// <summary>The place of one of a burst, in units of its size: in sequence, or scattered without repeating.</summary>
    public static long Place(int index, int count, long flags) => (flags & Random) != 0 ? (long)index * Stride % count : index;
}
