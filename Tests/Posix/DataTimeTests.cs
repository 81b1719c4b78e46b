using Harness.Tests.Mounts;
using static Harness.Tests.Mounts.Posix;

namespace Harness.Tests.Posix;

public sealed class DataTimesInMemory(MemoryMount mount) : DataTimeTests<MemoryMount>(mount);

public sealed class DataTimesOnCluster(ClusterMount mount) : DataTimeTests<ClusterMount>(mount);

public sealed class DataTimesInPassthrough(PassthroughMount mount) : DataTimeTests<PassthroughMount>(mount);

public sealed class DataTimesInKernelPassthrough(KernelPassthroughMount mount) : DataTimeTests<KernelPassthroughMount>(mount);

/// <summary>
/// Times of reading and writing where the file system keeps them. With the writeback cache the kernel keeps those of changes, leaves one out
/// (truncate to the same size), and reads what it is about to change in part.
/// </summary>
public abstract class DataTimeTests<TMount>(TMount mount) : IClassFixture<TMount>
    where TMount : MountFixture
{
    [RealMountFact]
    public void WriteChangesMtimeAndLeavesAtime()
    {
        string file = Times.NewOldFile(mount.NewDirectory());
        using (OpenedFile open = Open(file, WriteOnly))
        {
            open.Write("x"u8, 0);
            Assert.False(Times.IsLongAgo(open.Status.Mtime));
        }

        Assert.False(Times.IsLongAgo(Stat(file).Mtime));
        Assert.True(Times.IsLongAgo(Stat(file).Atime));
    }

    [RealMountFact]
    public void TruncateChangesMtimeEvenToTheSameSize()
    {
        string file = Times.NewOldFile(mount.NewDirectory());
        Ok(Truncate(file, 4));
        Assert.False(Times.IsLongAgo(Stat(file).Mtime));
    }

    [RealMountFact]
    public void ReadChangesAtimeAsOnTheHost()
    {
        string file = Times.NewOldFile(mount.NewDirectory());
        Assert.Equal("text", Read(file));
        bool isCounted = !Times.IsLongAgo(Stat(file).Atime);
        Assert.Equal(!mount.IsCluster && (mount.Served.Length == 0 || CountsOnHost()), isCounted);
        Assert.True(Times.IsLongAgo(Stat(file).Mtime));
    }

    private bool CountsOnHost()
    {
        string file = Times.NewOldFile(mount.Served);
        Assert.Equal("text", Read(file));
        return !Times.IsLongAgo(Stat(file).Atime);
    }
}
