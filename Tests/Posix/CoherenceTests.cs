using Harness.Runtime.Native;
using Harness.Tests.Mounts;
using static Harness.Tests.Mounts.Posix;

namespace Harness.Tests.Posix;

public sealed class CoherenceInMemory(MemoryMount mount) : CoherenceTests<MemoryMount>(mount);

public sealed class CoherenceOnCluster(ClusterMount mount) : CoherenceTests<ClusterMount>(mount);

public sealed class CoherenceInWritebackMemory(WritebackMemoryMount mount) : CoherenceTests<WritebackMemoryMount>(mount);

public sealed class CoherenceOnWritebackCluster(WritebackClusterMount mount) : CoherenceTests<WritebackClusterMount>(mount);

public sealed class CoherenceInPassthrough(PassthroughMount mount) : CoherenceTests<PassthroughMount>(mount);

public sealed class CoherenceInWritebackPassthrough(WritebackPassthroughMount mount) : CoherenceTests<WritebackPassthroughMount>(mount);

public sealed class CoherenceInKernelPassthrough(KernelPassthroughMount mount) : CoherenceTests<KernelPassthroughMount>(mount);

/// <summary>Buffered, direct and mapped I/O on one file see the same data.</summary>
public abstract class CoherenceTests<TMount>(TMount mount) : IClassFixture<TMount>
    where TMount : MountFixture
{
    private const int Block = 4096;

    [RealMountFact]
    public void DirectReadSeesWhatWasWrittenBuffered()
    {
        string file = NewPath();
        using OpenedFile buffered = Open(file, ReadWrite | Creating);
        using OpenedFile direct = Open(file, ReadWrite | FileFlags.Direct);
        using var memory = new AlignedMemory(4 * Block);
        byte[] data = Pattern(4 * Block, 1);
        buffered.Write(data, 0);
        Assert.Equal(4 * Block, direct.Read(memory.Span, 0));
        Assert.True(data.AsSpan().SequenceEqual(memory.Span));
    }

    [RealMountFact]
    public void BufferedReadSeesWhatWasWrittenDirectly()
    {
        string file = NewPath();
        using OpenedFile buffered = Open(file, ReadWrite | Creating);
        using OpenedFile direct = Open(file, ReadWrite | FileFlags.Direct);
        using var memory = new AlignedMemory(2 * Block);
        buffered.Write(Pattern(4 * Block, 1), 0);
        byte[] back = new byte[4 * Block];
        Assert.Equal(4 * Block, buffered.Read(back, 0));
        Pattern(2 * Block, 2).CopyTo(memory.Span);
        direct.Write(memory.Span, Block);
        Assert.Equal(4 * Block, buffered.Read(back, 0));
        byte[] expected = Pattern(4 * Block, 1);
        Pattern(2 * Block, 2).CopyTo(expected, Block);
        Assert.Equal(expected.Length, expected.AsSpan().CommonPrefixLength(back));
    }

    [RealMountFact]
    public void DirectWriteExtendsTheFile()
    {
        string file = NewPath();
        using OpenedFile direct = Open(file, ReadWrite | Creating | FileFlags.Direct);
        using var memory = new AlignedMemory(3 * Block);
        Pattern(3 * Block, 3).CopyTo(memory.Span);
        direct.Write(memory.Span, 0);
        direct.Write(memory.Span, 3 * Block);
        Assert.Equal(6ul * Block, Stat(file).Size);
        using OpenedFile buffered = Open(file, ReadOnly);
        byte[] back = new byte[6 * Block];
        Assert.Equal(6 * Block, buffered.Read(back, 0));
        Assert.True(back.AsSpan(0, 3 * Block).SequenceEqual(memory.Span));
        Assert.True(back.AsSpan(3 * Block).SequenceEqual(memory.Span));
        Assert.Equal(0, direct.Read(memory.Span, 6 * Block));
    }

    [RealMountFact]
    public void DirectReadStopsAtTheEndOfAFileThatEndsWithinABlock()
    {
        string file = NewPath();
        Write(file, "0123456789");
        using OpenedFile direct = Open(file, ReadOnly | FileFlags.Direct);
        using var memory = new AlignedMemory(Block);
        Assert.Equal(10, direct.Read(memory.Span, 0));
        Assert.True(memory.Span[..10].SequenceEqual("0123456789"u8));
    }

    [RealMountFact]
    public void MappingSeesWritesAndReadsSeeTheMapping()
    {
        string file = NewPath();
        using OpenedFile open = Open(file, ReadWrite | Creating);
        open.Write(Pattern(4 * Block, 1), 0);
        using var mapping = new Mapping(open, 4 * Block);
        byte[] back = new byte[4];
        mapping.Read(Block, back);
        Assert.Equal(Pattern(4 * Block, 1)[Block..(Block + 4)], back);
        open.Write("wrote"u8, Block);
        mapping.Read(Block, back);
        Assert.Equal("wrot"u8, back);
        mapping.Write((2 * Block) + 7, "MAPPED"u8);
        Assert.Equal("MAPPED", open.Read((2 * Block) + 7, 6));
        using OpenedFile other = Open(file, ReadOnly);
        Assert.Equal("MAPPED", other.Read((2 * Block) + 7, 6));
    }

    [RealMountFact]
    public void WhatAMappingWroteIsInTheFileAfterwards()
    {
        string file = NewPath();
        byte[] data = Pattern(3 * Block, 5);
        using (OpenedFile open = Open(file, ReadWrite | Creating))
        {
            // Ends within a page, so that the last write of the mapping must be cut off there.
            Ok(open.Truncate((2 * Block) + 100));
            using var mapping = new Mapping(open, 3 * Block);
            mapping.Write(0, data.AsSpan(0, (2 * Block) + 100));
            mapping.Sync();
        }

        byte[] back = new byte[3 * Block];
        using OpenedFile read = Open(file, ReadOnly);
        Assert.Equal((2 * Block) + 100, read.Read(back, 0));
        Assert.True(data.AsSpan(0, (2 * Block) + 100).SequenceEqual(back.AsSpan(0, (2 * Block) + 100)));
    }

    [RealMountFact]
    public void MappingOfAnAppendersFileWritesInPlace()
    {
        string file = NewPath();
        using (OpenedFile open = Open(file, ReadWrite | Creating | Appending))
        {
            open.Write("0123456789");
            using var mapping = new Mapping(open, 10);
            mapping.Write(2, "XX"u8);
            mapping.Sync();
            open.Write("end");
            mapping.Write(5, "YY"u8);
        }

        Assert.Equal("01XX4YY789end", Read(file));
    }

    [RealMountFact]
    public void MappingOfADirectFileWritesItsUnalignedEnd()
    {
        string file = NewPath();
        using (OpenedFile open = Open(file, ReadWrite | Creating | FileFlags.Direct))
        {
            Ok(open.Truncate(Block + 10));
            using var mapping = new Mapping(open, Block + 10);
            mapping.Write(Block, "0123456789"u8);
            mapping.Sync();
        }

        using OpenedFile read = Open(file, ReadOnly);
        Assert.Equal("0123456789", read.Read(Block, 20));
    }

    [RealMountFact]
    public void DirectReadSeesWhatAMappingWrote()
    {
        string file = NewPath();
        using OpenedFile open = Open(file, ReadWrite | Creating);
        using OpenedFile direct = Open(file, ReadOnly | FileFlags.Direct);
        Ok(open.Truncate(2 * Block));
        using var mapping = new Mapping(open, 2 * Block);
        mapping.Write(Block, "mapped"u8);
        using var memory = new AlignedMemory(Block);
        Assert.Equal(Block, direct.Read(memory.Span, Block));
        Assert.True(memory.Span[..6].SequenceEqual("mapped"u8));
    }

    [RealMountFact]
    public void TruncateShortensWhatAMappingShows()
    {
        string file = NewPath();
        using OpenedFile open = Open(file, ReadWrite | Creating);
        open.Write(Pattern(2 * Block, 1), 0);
        using var mapping = new Mapping(open, 2 * Block);
        byte[] back = new byte[2];
        mapping.Read(10, back);
        Ok(open.Truncate(10));
        Ok(open.Truncate(2 * Block));
        mapping.Read(10, back);
        Assert.Equal([0, 0], back);
    }

    [RealMountFact]
    public void DirectIoCanBeSwitchedOnAndOff()
    {
        const int SetFlags = 4;
        string file = NewPath();
        using OpenedFile open = Open(file, ReadWrite | Creating);
        using var memory = new AlignedMemory(Block);
        memory.Span.Fill((byte)'d');
        Ok(Errnos(PosixNative.Fcntl(open.Fd, SetFlags, FileFlags.Direct)));
        open.Write(memory.Span, 0);
        Ok(Errnos(PosixNative.Fcntl(open.Fd, SetFlags, 0)));
        open.Write("odd"u8, 3);
        Ok(Errnos(PosixNative.Fcntl(open.Fd, SetFlags, FileFlags.Direct)));
        Assert.Equal(Block, open.Read(memory.Span, 0));
        Assert.True(memory.Span[..8].SequenceEqual("dddodddd"u8));
    }

    [RealMountFact]
    public void DataOutliveTheLastCloseWithoutFsync()
    {
        string file = NewPath();
        byte[] data = Pattern(300_000, 9);
        using (OpenedFile open = Open(file, WriteOnly | Creating))
        {
            for (int at = 0; at < data.Length; at += 777)
            {
                open.Write(data.AsSpan(at, Math.Min(777, data.Length - at)), at);
            }
        }

        byte[] back = new byte[data.Length + 1];
        using OpenedFile direct = Open(file, ReadOnly);
        Assert.Equal(data.Length, direct.Read(back, 0));
        Assert.Equal(data.Length, data.AsSpan().CommonPrefixLength(back));
        if (mount.Served.Length > 0)
        {
            string onHost = Path.Combine(mount.Served, Path.GetRelativePath(mount.Root, file));
            Assert.Equal(data, File.ReadAllBytes(onHost));
        }
    }

    private static byte[] Pattern(int length, int seed)
    {
        byte[] data = new byte[length];
        new Random(seed).NextBytes(data);
        return data;
    }

    private string NewPath() => Path.Combine(mount.NewDirectory(), "f");
}
