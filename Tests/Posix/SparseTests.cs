using Harness.Runtime.Native;
using Harness.Tests.Mounts;
using Mono.Unix.Native;
using static Harness.Tests.Mounts.Posix;

namespace Harness.Tests.Posix;

public sealed class SparseInMemory(MemoryMount mount) : SparseTests<MemoryMount>(mount);

public sealed class SparseOnCluster(ClusterMount mount) : SparseTests<ClusterMount>(mount);

public sealed class SparseInWritebackMemory(WritebackMemoryMount mount) : SparseTests<WritebackMemoryMount>(mount);

public sealed class SparseInPassthrough(PassthroughMount mount) : SparseTests<PassthroughMount>(mount);

public sealed class SparseInWritebackPassthrough(WritebackPassthroughMount mount) : SparseTests<WritebackPassthroughMount>(mount);

/// <summary>Holes, and what fallocate(2) does with them. What the served host cannot do is not asked of the mount.</summary>
public abstract class SparseTests<TMount>(TMount mount) : IClassFixture<TMount>
    where TMount : MountFixture
{
    private const int Block = 4096;

    [RealMountFact]
    public void SeekFindsDataAndHoles()
    {
        using OpenedFile file = NewFile();
        file.Write(new byte[Block], 4 * Block);
        file.Write(new byte[Block], 8 * Block);
        Ok(file.Truncate(16 * Block));
        if (file.Seek(0, SeekData) == 0)
        {
            // Allowed: a file system that tells no holes says that all is data (lseek(2)). With the writeback cache it has to.
            Assert.Equal(16 * Block, file.Seek(0, SeekHole));
            Assert.True(mount.HasWritebackCache || mount.Served.Length > 0);
            return;
        }

        Assert.Equal(4 * Block, file.Seek(0, SeekData));
        Assert.Equal(4 * Block, file.Seek(4 * Block, SeekData));
        Assert.Equal((4 * Block) + 1, file.Seek((4 * Block) + 1, SeekData));
        Assert.Equal(5 * Block, file.Seek(4 * Block, SeekHole));
        Assert.Equal(8 * Block, file.Seek(5 * Block, SeekData));
        Assert.Equal(9 * Block, file.Seek(8 * Block, SeekHole));
        Assert.Equal(3, file.Seek(3, SeekHole));
        Assert.Equal(-1, file.Seek(10 * Block, SeekData));
        Assert.Equal(Errno.ENXIO, Libc.LastErrno);
    }

    [RealMountFact]
    public void EndOfTheFileIsAHoleAndBehindItIsNothing()
    {
        using OpenedFile file = NewFile();
        file.Write("0123456789"u8, 0);
        Assert.Equal(0, file.Seek(0, SeekData));
        Assert.Equal(10, file.Seek(0, SeekHole));
        Assert.Equal(10, file.Seek(9, SeekHole));
        Assert.Equal(-1, file.Seek(10, SeekHole));
        Assert.Equal(Errno.ENXIO, Libc.LastErrno);
        Assert.Equal(-1, file.Seek(10, SeekData));
        Assert.Equal(-1, file.Seek(-1, SeekData));
    }

    [RealMountFact]
    public void AllocationExtendsTheFileUnlessTold()
    {
        using OpenedFile file = NewFile();
        file.Write("text"u8, 0);
        Ok(file.Allocate(0, 2, 100));
        Assert.Equal(102ul, file.Status.Size);
        Assert.Equal("text\0\0", file.Read(0, 6));
        Ok(file.Allocate(KeepSize, 0, 1 << 20));
        Assert.Equal(102ul, file.Status.Size);
        Assert.True(mount.IsCluster || file.Status.Blocks >= (1 << 20) / 512, $"{file.Status.Blocks} blocks");
        Ok(file.Allocate(0, 0, 50));
        Assert.Equal(102ul, file.Status.Size);
    }

    [RealMountFact]
    public void PunchedHoleReadsAsZerosAndFreesBlocks()
    {
        using OpenedFile file = NewFile();
        byte[] data = new byte[16 * Block];
        Array.Fill(data, (byte)'x');
        file.Write(data, 0);
        Ok(file.Sync());
        ulong before = file.Status.Blocks;
        if (!Supports(PunchHole | KeepSize))
        {
            return;
        }

        Ok(file.Allocate(PunchHole | KeepSize, 100, (8 * Block) + 100));
        Assert.Equal((ulong)data.Length, file.Status.Size);
        Assert.True(mount.IsCluster || file.Status.Blocks < before, $"{file.Status.Blocks} of {before} blocks");
        data.AsSpan(100, (8 * Block) + 100).Clear();
        AssertHolds(file, data);

        // Behind the end there is nothing to punch, and nothing grows.
        Ok(file.Allocate(PunchHole | KeepSize, data.Length, Block));
        Assert.Equal((ulong)data.Length, file.Status.Size);
        Assert.Equal(Errno.EOPNOTSUPP, file.Allocate(PunchHole, 0, Block));
    }

    [RealMountFact]
    public void ZeroedRangeReadsAsZerosAndMayExtendTheFile()
    {
        if (!Supports(ZeroRange))
        {
            return;
        }

        using OpenedFile file = NewFile();
        byte[] data = new byte[4 * Block];
        Array.Fill(data, (byte)'x');
        file.Write(data, 0);
        Ok(file.Allocate(ZeroRange | KeepSize, 10, 2 * Block));
        data.AsSpan(10, 2 * Block).Clear();
        AssertHolds(file, data);
        Ok(file.Allocate(ZeroRange | KeepSize, 3 * Block, 4 * Block));
        Assert.Equal((ulong)data.Length, file.Status.Size);
        Ok(file.Allocate(ZeroRange, 3 * Block, 2 * Block));
        Assert.Equal(5ul * Block, file.Status.Size);
        data.AsSpan(3 * Block).Clear();
        AssertHolds(file, [.. data, .. new byte[Block]]);
    }

    [RealMountFact]
    public void WrongRangesAreRefused()
    {
        using OpenedFile file = NewFile();
        Assert.Equal(Errno.EINVAL, file.Allocate(0, 0, 0));
        Assert.Equal(Errno.EINVAL, file.Allocate(0, -1, 1));
        Assert.Equal(Errno.EINVAL, file.Allocate(0, 0, -1));
        Assert.Equal(Errno.EFBIG, file.Allocate(0, long.MaxValue, 1));
        string path = Path.Combine(mount.NewDirectory(), "f");
        Write(path, "text");
        using OpenedFile reader = Open(path, ReadOnly);
        Assert.Equal(Errno.EBADF, reader.Allocate(0, 0, 1));
    }

    [RealMountFact]
    public void WriteIntoAHoleFillsOnlyItsOwnBlocks()
    {
        using OpenedFile file = NewFile();
        Ok(file.Truncate(1 << 20));
        Ok(file.Sync());
        file.Write("x"u8, 500_000);
        Ok(file.Sync());
        byte[] expected = new byte[1 << 20];
        expected[500_000] = (byte)'x';
        AssertHolds(file, expected);
        Assert.True(mount.IsCluster || file.Status.Blocks < (1 << 20) / 512, $"{file.Status.Blocks} blocks");
    }

    private static void AssertHolds(OpenedFile file, byte[] expected)
    {
        byte[] back = new byte[expected.Length + 1];
        Assert.Equal(expected.Length, file.Read(back, 0));
        Assert.Equal(expected.Length, expected.AsSpan().CommonPrefixLength(back));
    }

    private bool Supports(int mode)
    {
        if (mount.Served.Length == 0)
        {
            return true;
        }

        string probe = Path.Combine(mount.Served, Path.GetRandomFileName());
        using OpenedFile onHost = Open(probe, ReadWrite | Creating);
        Ok(Unlink(probe));
        return onHost.Allocate(mode, 0, Block) != Errno.EOPNOTSUPP;
    }

    private OpenedFile NewFile() => Open(Path.Combine(mount.NewDirectory(), "f"), ReadWrite | Creating);
}
