using Harness.Tests.Experiments.Backends;
using Harness.Tests.Mounts;
using Mono.Unix.Native;
using static Harness.Tests.Mounts.Posix;

namespace Harness.Tests.Posix;

public sealed class FsxOnMemory(MemoryMount mount) : FsxTests<MemoryMount>(mount);

public sealed class FsxOnCluster(ClusterMount mount) : FsxTests<ClusterMount>(mount);

public sealed class FsxOnWritebackMemory(WritebackMemoryMount mount) : FsxTests<WritebackMemoryMount>(mount);

public sealed class FsxOnWritebackCluster(WritebackClusterMount mount) : FsxTests<WritebackClusterMount>(mount);

public sealed class FsxOnPassthrough(PassthroughMount mount) : FsxTests<PassthroughMount>(mount);

public sealed class FsxOnWritebackPassthrough(WritebackPassthroughMount mount) : FsxTests<WritebackPassthroughMount>(mount);

public sealed class FsxOnKernelPassthrough(KernelPassthroughMount mount) : FsxTests<KernelPassthroughMount>(mount);

/// <summary>Random operations on the data of files.</summary>
public abstract class FsxTests<TMount>(TMount mount) : IClassFixture<TMount>
    where TMount : MountFixture
{
    private const int Operations = 1500;

    [RealMountFact]
    public void RandomOperationsOnAFileAgreeWithAModel() => RandomRun.WithSeed(seed =>
    {
        string file = Path.Combine(mount.NewDirectory(), "f");
        using (var exerciser = new FileExerciser(file, seed, Modes()))
        {
            exerciser.Run(Operations);
        }

        if (mount.Served.Length > 0)
        {
            Assert.Equal(File.ReadAllBytes(Path.Combine(mount.Served, Path.GetRelativePath(mount.Root, file))), File.ReadAllBytes(file));
        }
    });

    [RealMountFact]
    public void FilesThatAreExercisedAtOnceDoNotMix() => RandomRun.WithSeed(seed =>
    {
        string directory = mount.NewDirectory();
        int[] modes = [.. Modes()];
        Task[] all = [.. Enumerable.Range(0, 4).Select(i => Task.Factory.StartNew(
            () =>
            {
                using var exerciser = new FileExerciser(Path.Combine(directory, $"{i}"), seed + (ulong)i, modes);
                exerciser.Run(Operations / 5);
            },
            CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default))];
        Task.WaitAll(all);
    });

    /// <summary>What fallocate(2) can do here: on a mount of the host, what it can do there.</summary>
    private int[] Modes()
    {
        int[] modes = [0, KeepSize, PunchHole | KeepSize, ZeroRange, ZeroRange | KeepSize];
        if (mount.Served.Length == 0)
        {
            return modes;
        }

        string probe = Path.Combine(mount.Served, Path.GetRandomFileName());
        using OpenedFile onHost = Open(probe, ReadWrite | Creating);
        Ok(Unlink(probe));
        return [.. modes.Where(mode => onHost.Allocate(mode, 0, 4096) != Errno.EOPNOTSUPP)];
    }
}
