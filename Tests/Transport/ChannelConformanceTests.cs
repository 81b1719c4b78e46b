using System.Diagnostics;
using System.Runtime.InteropServices;
using Harness.FuseProtocol;
using Harness.Tests.Mounts;
using Mono.Unix.Native;

namespace Harness.Tests.Transport;

/// <summary>What every channel must do, on the real kernel: one body for all.</summary>
public sealed class ChannelConformanceTests
{
    private const int DirectFlag = 0x4000;
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(60);

    public static TheoryData<string> Channels => ["dev-fuse", "clone", "io-uring"];

    public static TheoryData<string, string, bool> ChannelsAndSizes
    {
        get
        {
            var data = new TheoryData<string, string, bool>();
            foreach (string channel in (string[])["dev-fuse", "clone", "io-uring"])
            {
                foreach (string size in (string[])["4K", "64K", "1M", "4M"])
                {
                    data.Add(channel, size, false);
                    data.Add(channel, size, true);
                }
            }

            return data;
        }
    }

    [RealMountTheory]
    [MemberData(nameof(ChannelsAndSizes))]
    public void DirectIoTravelsWholeInMessagesOfTheSizeAskedFor(string channel, string maxWrite, bool answersElsewhere)
    {
        const int Bytes = 8 << 20;
        const long Offset = 4096 * 3;
        var probe = new ProbeFileSystem { AnswersElsewhere = answersElsewhere };
        using var mounted = MountedFileSystem.Mount(probe, "null", $"channel={channel}", $"max-write={maxWrite}");

        using var file = new DirectFile($"{mounted.Path}/probe", Bytes);
        Assert.Equal(Bytes, file.Read(Offset));
        for (int i = 0; i < Bytes; i++)
        {
            Assert.True(file.Bytes[i] == ProbeFileSystem.ByteAt(Offset + i), $"byte {i} is wrong");
        }

        Assert.Equal(Bytes, file.Write(Offset));
        int expected = mounted.Negotiated.MaxWrite;
        Assert.Equal((uint)expected, probe.Sizes.Max());
        Assert.Equal(2 * (Bytes / expected), probe.Sizes.Count);
    }

    [RealMountTheory]
    [MemberData(nameof(Channels))]
    public void ManyThreadsAtOnceEachGetTheirOwnBytes(string channel)
    {
        const int Threads = 8;
        const int Blocks = 400;
        using var mounted = MountedFileSystem.Mount(new ProbeFileSystem(), "null", $"channel={channel}", "queue-depth=4");
        Parallel.For(0, Threads, new ParallelOptions { MaxDegreeOfParallelism = Threads }, thread =>
        {
            using var file = new DirectFile($"{mounted.Path}/probe", 4096);
            for (int i = 0; i < Blocks; i++)
            {
                long offset = ((i * Threads) + thread) * 4096L;
                Assert.Equal(4096, file.Read(offset));
                Assert.Equal(ProbeFileSystem.ByteAt(offset), file.Bytes[0]);
                Assert.Equal(ProbeFileSystem.ByteAt(offset + 4095), file.Bytes[4095]);
            }
        });
    }

    [RealMountTheory]
    [MemberData(nameof(Channels))]
    public void AnErrorReachesTheApplication(string channel)
    {
        using var mounted = MountedFileSystem.Mount(new ProbeFileSystem(), "null", $"channel={channel}");
        Assert.Equal(-1, Syscall.open($"{mounted.Path}/absent", OpenFlags.O_RDONLY));
        Assert.Equal(Errno.ENOENT, Stdlib.GetLastError());
    }

    [RealMountTheory("dd")]
    [MemberData(nameof(Channels))]
    public async Task ASignalInterruptsARequestThatWaits(string channel)
    {
        var probe = new ProbeFileSystem { Gate = new TaskCompletionSource() };
        // Only a caller that waits for the request itself can interrupt it: not one that waits for a page, nor, with FUSE_ASYNC_DIO, for the
        // last of several messages (fs/fuse/file.c, fuse_direct_IO).
        using var mounted = MountedFileSystem.Mount(probe, "null", $"channel={channel}", "async-dio=off");
        string[] arguments = [$"if={mounted.Path}/probe", "iflag=direct", "bs=4096", "count=1", $"skip={(ProbeFileSystem.FileBytes / 4096) - 1}"];
        using Process reader = Process.Start(new ProcessStartInfo("dd", arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        await probe.AtGate.Task.WaitAsync(s_limit);
        Assert.Equal(0, Syscall.kill(reader.Id, Signum.SIGTERM));
        await reader.WaitForExitAsync().WaitAsync(s_limit);
        Assert.True(probe.Interrupted);
    }

    [RealMountTheory]
    [MemberData(nameof(Channels))]
    public void EveryLookupIsForgottenInTheEnd(string channel)
    {
        var probe = new ProbeFileSystem();
        using (var mounted = MountedFileSystem.Mount(probe, "null", $"channel={channel}"))
        {
            Assert.Equal(ProbeFileSystem.FileBytes, new FileInfo($"{mounted.Path}/probe").Length);
            Assert.True(probe.Lookups > 0);
            // Reclaims unused dentries and inodes, which is what makes the kernel forget.
            File.WriteAllText("/proc/sys/vm/drop_caches", "2");
            Assert.True(SpinWait.SpinUntil(() => probe.Lookups == 0, s_limit), $"{probe.Lookups} lookups were not forgotten");
        }
    }

    [RealMountTheory]
    [MemberData(nameof(Channels))]
    public async Task UnmountUnderLoadEndsAndTheLoadGetsErrors(string channel)
    {
        var mounted = MountedFileSystem.Mount(new ProbeFileSystem(), "null", $"channel={channel}");
        using var started = new CountdownEvent(3);
        Task<Errno>[] readers = [.. Enumerable.Range(0, 3).Select(i => Task.Factory.StartNew(
            () => ReadUntilError($"{mounted.Path}/probe", started), TaskCreationOptions.LongRunning))];
        Assert.True(started.Wait(s_limit));
        mounted.Dispose();
        Errno[] errors = await Task.WhenAll(readers).WaitAsync(s_limit);
        Assert.All(errors, error => Assert.Contains(error, (Errno[])[Errno.ENOTCONN, Errno.ECONNABORTED, Errno.ENODEV, Errno.EIO]));
        Assert.False(Directory.Exists(mounted.Path));
    }

    [RealMountTheory]
    [MemberData(nameof(Channels))]
    public void ARequestThatIsNeverAnsweredDoesNotKeepTheMountFromEnding(string channel)
    {
        var probe = new ProbeFileSystem { Gate = new TaskCompletionSource() };
        var mounted = MountedFileSystem.Mount(probe, "null", $"channel={channel}");
        Task<Errno> reader = Task.Factory.StartNew(
            () =>
            {
                using var file = new DirectFile($"{mounted.Path}/probe", 4096);
                return file.Read(ProbeFileSystem.FileBytes - 4096) < 0 ? Stdlib.GetLastError() : Errnos.Ok;
            },
            TaskCreationOptions.LongRunning);
        Assert.True(probe.AtGate.Task.Wait(s_limit));
        mounted.Dispose();
        Assert.True(reader.Wait(s_limit));
        Assert.Contains(reader.Result, (Errno[])[Errno.ENOTCONN, Errno.ECONNABORTED]);
        // Answering after the channel is gone must be harmless.
        probe.Gate.SetResult();
    }

    private static Errno ReadUntilError(string path, CountdownEvent started)
    {
        using var file = new DirectFile(path, 4096);
        for (long i = 0; ; i++)
        {
            if (file.Read(i % 1000 * 4096) < 0)
            {
                return Stdlib.GetLastError();
            }

            if (i == 10)
            {
                started.Signal();
            }
        }
    }

    /// <summary>A file open for direct I/O, with a buffer on a page boundary.</summary>
    private sealed unsafe class DirectFile : IDisposable
    {
        private readonly int _fd;
        private readonly byte* _buffer;
        private readonly int _length;

        public DirectFile(string path, int length)
        {
            _fd = Syscall.open(path, OpenFlags.O_RDWR | (OpenFlags)DirectFlag);
            Assert.True(_fd >= 0, $"{path}: {Stdlib.GetLastError()}");
            _buffer = (byte*)NativeMemory.AlignedAlloc((nuint)length, 4096);
            _length = length;
        }

        public ReadOnlySpan<byte> Bytes => new(_buffer, _length);

        public long Read(long offset) => Syscall.pread(_fd, _buffer, (ulong)_length, offset);

        public long Write(long offset) => Syscall.pwrite(_fd, _buffer, (ulong)_length, offset);

        public void Dispose()
        {
            _ = Syscall.close(_fd);
            NativeMemory.AlignedFree(_buffer);
        }
    }
}
