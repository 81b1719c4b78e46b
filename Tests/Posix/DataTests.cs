using Harness.Runtime.Native;
using Harness.Tests.Mounts;
using Mono.Unix.Native;
using static Harness.Tests.Mounts.Posix;

namespace Harness.Tests.Posix;

public sealed class DataInMemory(MemoryMount mount) : DataTests<MemoryMount>(mount);

public sealed class DataOnCluster(ClusterMount mount) : DataTests<ClusterMount>(mount);

public sealed class DataInWritebackMemory(WritebackMemoryMount mount) : DataTests<WritebackMemoryMount>(mount);

public sealed class DataOnWritebackCluster(WritebackClusterMount mount) : DataTests<WritebackClusterMount>(mount);

public sealed class DataInPassthrough(PassthroughMount mount) : DataTests<PassthroughMount>(mount);

public sealed class DataInWritebackPassthrough(WritebackPassthroughMount mount) : DataTests<WritebackPassthroughMount>(mount);

public sealed class DataInKernelPassthrough(KernelPassthroughMount mount) : DataTests<KernelPassthroughMount>(mount);

/// <summary>What is written is what is read: by size, place, flags of open(2), and in between.</summary>
public abstract class DataTests<TMount>(TMount mount) : IClassFixture<TMount>
    where TMount : MountFixture
{
    [RealMountTheory]
    [InlineData(1)]
    [InlineData(4095)]
    [InlineData(4097)]
    [InlineData(1 << 20)]
    [InlineData((1 << 20) + 1)]
    [InlineData(5_000_003)]
    public void DataOfAnySizeComeBack(int length)
    {
        byte[] data = new byte[length];
        new Random(length).NextBytes(data);
        string file = NewPath();
        using (OpenedFile open = Open(file, WriteOnly | Creating))
        {
            open.Write(data, 0);
        }

        byte[] back = new byte[length + 10];
        using OpenedFile read = Open(file, ReadOnly);
        Assert.Equal(length, read.Read(back, 0));
        Assert.True(data.AsSpan().SequenceEqual(back.AsSpan(0, length)));
        Assert.Equal((ulong)length, read.Status.Size);
    }

    [RealMountFact]
    public void ReadEndsWhereTheFileEnds()
    {
        string file = NewPath();
        Write(file, "0123456789");
        using OpenedFile open = Open(file, ReadOnly);
        Assert.Equal("89", open.Read(8, 10));
        Assert.Equal(string.Empty, open.Read(10, 10));
        Assert.Equal(string.Empty, open.Read(1 << 30, 10));
        Assert.Equal(Errno.EINVAL, open.TryRead(new byte[1], -1));
        Assert.Equal(Errno.EBADF, open.TryWrite("x"u8, 0));
        using OpenedFile writer = Open(file, WriteOnly);
        Assert.Equal(Errno.EBADF, writer.TryRead(new byte[1], 0));
    }

    [RealMountFact]
    public void AppendersNeverOverwriteEachOther()
    {
        string file = NewPath();
        using OpenedFile a = Open(file, WriteOnly | Creating | Appending);
        using OpenedFile b = Open(file, WriteOnly | Appending);
        using OpenedFile plain = Open(file, ReadWrite);
        for (int i = 0; i < 10; i++)
        {
            a.Write($"a{i}");
            b.Write($"b{i}");
        }

        // An offset does not matter to an appender (pwrite(2), BUGS).
        a.Write("end"u8, 0);
        Assert.Equal("a0b0a1b1a2b2a3b3a4b4a5b5a6b6a7b7a8b8a9b9end", plain.Read(0, 100));
        plain.Write("START"u8, 0);
        b.Write("!");
        Assert.Equal("START1b1", plain.Read(0, 8));
        Assert.EndsWith("end!", plain.Read(0, 100), StringComparison.Ordinal);
    }

    [RealMountFact]
    public void AppendersOnSeveralThreadsLoseNothing()
    {
        const int Each = 100;
        string file = NewPath();
        Write(file);
        Thread[] threads = [.. Enumerable.Range(0, 4).Select(number => new Thread(() =>
        {
            using OpenedFile open = Open(file, WriteOnly | Appending);
            for (int i = 0; i < Each; i++)
            {
                open.Write($"{number}:{i:D3};");
            }
        }))];
        Array.ForEach(threads, thread => thread.Start());
        Array.ForEach(threads, thread => thread.Join());
        string[] records = Read(file).Split(';', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(4 * Each, records.Length);
        for (int number = 0; number < 4; number++)
        {
            Assert.Equal(Enumerable.Range(0, Each).Select(i => $"{number}:{i:D3}"), records.Where(record => record[0] == '0' + number));
        }
    }

    [RealMountFact]
    public void AppendCanBeSwitchedOnAndOff()
    {
        const int SetFlags = 4;
        string file = NewPath();
        Write(file, "0123");
        using OpenedFile open = Open(file, ReadWrite);
        Ok(Errnos(PosixNative.Fcntl(open.Fd, SetFlags, Appending)));
        open.Write("A"u8, 0);
        Ok(Errnos(PosixNative.Fcntl(open.Fd, SetFlags, 0)));
        open.Write("B"u8, 0);
        Assert.Equal("B123A", open.Read(0, 10));
    }

    [RealMountFact]
    public void TruncatingOpenEmptiesTheFileForEverybody()
    {
        string file = NewPath();
        Write(file, "text");
        using OpenedFile open = Open(file, ReadOnly);
        Assert.Equal("text", open.Read(0, 10));
        Ok(TryOpen(file, WriteOnly | Truncating));
        Assert.Equal((0ul, string.Empty), (open.Status.Size, open.Read(0, 10)));
    }

    [RealMountFact]
    public void ExclusiveCreationHasOneWinner()
    {
        string directory = mount.NewDirectory();
        for (int round = 0; round < 20; round++)
        {
            string file = Path.Combine(directory, $"{round}");
            int winners = 0;
            Thread[] threads = [.. Enumerable.Range(0, 4).Select(_ => new Thread(() =>
            {
                Errno error = TryOpen(file, WriteOnly | Creating | Exclusive);
                Assert.True(error is Success or Errno.EEXIST, $"{error}");
                Interlocked.Add(ref winners, error == Success ? 1 : 0);
            }))];
            Array.ForEach(threads, thread => thread.Start());
            Array.ForEach(threads, thread => thread.Join());
            Assert.Equal(1, winners);
        }
    }

    [RealMountFact]
    public void TruncateCutsAndFillsWithZeros()
    {
        string file = NewPath();
        Write(file, "0123456789");
        Ok(Truncate(file, 4));
        Ok(Truncate(file, 8));
        Assert.Equal("0123\0\0\0\0", Read(file));
        using OpenedFile open = Open(file, ReadWrite);
        Ok(open.Truncate(2));
        open.Write("X"u8, 5);
        Assert.Equal("01\0\0\0X", open.Read(0, 10));
        Assert.Equal(Errno.EINVAL, open.Truncate(-1));
        Assert.Equal(Errno.EINVAL, Truncate(file, -1));
        using OpenedFile reader = Open(file, ReadOnly);
        Assert.Equal(Errno.EINVAL, reader.Truncate(0));
    }

    [RealMountFact]
    public void WhatWasCutOffNeverComesBack()
    {
        string file = NewPath();
        byte[] data = new byte[20_000];
        Array.Fill(data, (byte)'x');
        using OpenedFile open = Open(file, ReadWrite | Creating);
        open.Write(data, 0);
        Ok(open.Truncate(5_001));
        Ok(open.Truncate(20_000));
        byte[] back = new byte[20_000];
        Assert.Equal(20_000, open.Read(back, 0));
        Assert.Equal(5_001, back.AsSpan().IndexOf((byte)0));
        Assert.Equal(-1, back.AsSpan(5_001).IndexOfAnyExcept((byte)0));
    }

    [RealMountFact]
    public void FilesReachBeyondFourGibibytes()
    {
        const long Offset = (5L << 30) + 3;
        using OpenedFile open = Open(NewPath(), ReadWrite | Creating);
        open.Write("far"u8, Offset);
        Assert.Equal((ulong)Offset + 3, open.Status.Size);
        Assert.True(open.Status.Blocks < 1000);
        Assert.Equal("\0\0far", open.Read(Offset - 2, 10));
        Ok(open.Truncate(Offset + 1));
        Assert.Equal("f", open.Read(Offset, 10));
    }

    [RealMountFact]
    public void CopyFileRangeCopiesBetweenFilesAndInOne()
    {
        string file = NewPath();
        Write(file, "0123456789");
        using OpenedFile from = Open(file, ReadOnly);
        using OpenedFile to = Open(file + "2", ReadWrite | Creating);
        Assert.Equal(4, Copy(from, 3, to, 2, 4));
        Assert.Equal("\0\0" + "3456", to.Read(0, 20));
        Assert.Equal(3, Copy(from, 7, to, 0, 100));
        Assert.Equal("789456", to.Read(0, 20));
        Assert.Equal(0, Copy(from, 10, to, 0, 5));
        using OpenedFile both = Open(file, ReadWrite);
        Assert.Equal(3, Copy(both, 0, both, 5, 3));
        Assert.Equal("0123401289", both.Read(0, 20));
        Assert.Equal(-1, Copy(both, 0, both, 1, 5));
        Assert.Equal(Errno.EINVAL, Libc.LastErrno);
        Assert.Equal(-1, Copy(both, 0, from, 0, 5));
        Assert.Equal(Errno.EBADF, Libc.LastErrno);
    }

    [RealMountFact]
    public void FsyncOfEveryKindOfFileSucceeds()
    {
        string directory = mount.NewDirectory();
        using OpenedFile file = Open(Path.Combine(directory, "f"), ReadWrite | Creating);
        file.Write("text"u8, 0);
        Ok(file.Sync());
        Ok(Errnos(PosixNative.Fdatasync(file.Fd)));
        using OpenedFile open = Open(directory, ReadOnly);
        Ok(open.Sync());
    }

    [RealMountFact]
    public void SynchronousWritesAreWritten()
    {
        string file = NewPath();
        using (OpenedFile open = Open(file, WriteOnly | Creating | FileFlags.Sync))
        {
            open.Write("text"u8, 0);
        }

        Assert.Equal("text", Read(file));
    }

    private static unsafe long Copy(OpenedFile from, long offset, OpenedFile to, long newOffset, nuint length) =>
        PosixNative.CopyFileRange(from.Fd, &offset, to.Fd, &newOffset, length, 0);

    private string NewPath() => Path.Combine(mount.NewDirectory(), "f");
}
