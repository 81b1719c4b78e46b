using System.Buffers.Binary;
using Mono.Unix.Native;

namespace Harness.Tests.Experiments.Keeping;

/// <summary>
/// Applications on a mount, each on a thread: one makes, moves and removes names, none of which may be done twice, and one writes data and reads
/// it back. What fails is kept, with its error.
/// </summary>
internal sealed class KeptLoad : IDisposable
{
    private const int BlockBytes = 128 << 10;
    private const int Blocks = 8;
    private const FilePermissions Everything = FilePermissions.ALLPERMS;

    private readonly string _directory;
    private readonly List<Thread> _threads = [];
    private readonly List<string> _failures = [];
    private volatile bool _hasEnded;
    private long _rounds;
    private int _appended;

    public KeptLoad(string directory)
    {
        _directory = directory;
        foreach (Action<int> round in (Action<int>[])[ChangeNames, WriteAndRead])
        {
            var thread = new Thread(() =>
            {
                for (int i = 0; !_hasEnded; i++)
                {
                    round(i);
                    Interlocked.Increment(ref _rounds);
                }
            });
            _threads.Add(thread);
            thread.Start();
        }
    }

    /// <summary>Waits until the applications have got some way further.</summary>
    public void AwaitProgress()
    {
        long from = Interlocked.Read(ref _rounds);
        KeptMount.Until(() => Interlocked.Read(ref _rounds) > from + 10);
    }

    /// <summary>Ends the applications.</summary>
    /// <returns>What has failed.</returns>
    public IReadOnlyList<string> End()
    {
        Dispose();
        Check("append log", File.ReadAllLines(Path.Combine(_directory, "log")).SequenceEqual(Enumerable.Range(0, _appended).Select(i => $"{i:D8}")) ? 0 : -1);
        return _failures;
    }

    public void Dispose()
    {
        _hasEnded = true;
        _threads.ForEach(thread => thread.Join());
    }

    private void ChangeNames(int round)
    {
        string at = Path.Combine(_directory, $"d{round}");
        Check("mkdir", Syscall.mkdir(at, Everything));
        int fd = Syscall.open($"{at}/f", OpenFlags.O_CREAT | OpenFlags.O_EXCL | OpenFlags.O_RDWR, Everything);
        Check("create", fd);
        Check("link", Syscall.link($"{at}/f", $"{at}/g"));
        Check("rename", Stdlib.rename($"{at}/g", $"{at}/h"));
        Check("symlink", Syscall.symlink("h", $"{at}/l"));
        Check("mknod", Syscall.mkfifo($"{at}/p", Everything));
        Check("setxattr", Syscall.setxattr($"{at}/f", "user.a", [1], XattrFlags.XATTR_CREATE));
        Check("removexattr", Syscall.removexattr($"{at}/f", "user.a"));
        Check("close", Syscall.close(fd));
        foreach (string name in (string[])["f", "h", "l", "p"])
        {
            Check("unlink", Syscall.unlink($"{at}/{name}"));
        }

        Check("rename", Stdlib.rename(at, at + "r"));
        Check("rmdir", Syscall.rmdir(at + "r"));
        int log = Syscall.open(Path.Combine(_directory, "log"), OpenFlags.O_CREAT | OpenFlags.O_WRONLY | OpenFlags.O_APPEND, Everything);
        byte[] line = [.. $"{_appended++:D8}\n".Select(each => (byte)each)];
        Check("append", Write(log, line, 0) == line.Length ? 0 : -1);
        Check("close", Syscall.close(log));
    }

    private void WriteAndRead(int round)
    {
        byte[] block = new byte[BlockBytes];
        for (int i = 0; i < block.Length; i += sizeof(int))
        {
            BinaryPrimitives.WriteInt32LittleEndian(block.AsSpan(i), (round * BlockBytes) + i);
        }

        int fd = Syscall.open(Path.Combine(_directory, "data"), OpenFlags.O_CREAT | OpenFlags.O_RDWR, Everything);
        Check("open", fd);
        long offset = round % Blocks * BlockBytes;
        Check("write", Write(fd, block, offset) == block.Length ? 0 : -1);
        Check("fsync", Syscall.fsync(fd));
        Check("fadvise", Syscall.posix_fadvise(fd, offset, block.Length, PosixFadviseAdvice.POSIX_FADV_DONTNEED));
        byte[] read = new byte[BlockBytes];
        Check("read", Read(fd, read, offset) == read.Length ? 0 : -1);
        Check("verification", read.AsSpan().SequenceEqual(block) ? 0 : -1);
        Check("close", Syscall.close(fd));
    }

    private static unsafe long Write(int fd, byte[] data, long offset)
    {
        fixed (byte* bytes = data)
        {
            return Syscall.pwrite(fd, bytes, (ulong)data.Length, offset);
        }
    }

    private static unsafe long Read(int fd, byte[] buffer, long offset)
    {
        fixed (byte* bytes = buffer)
        {
            return Syscall.pread(fd, bytes, (ulong)buffer.Length, offset);
        }
    }

    private void Check(string what, long result)
    {
        if (result < 0)
        {
            Errno error = Stdlib.GetLastError();
            lock (_failures)
            {
                _failures.Add($"{what}: {error}");
            }
        }
    }
}
