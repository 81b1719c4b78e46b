using Harness.Experiments.Commands;
using Harness.Experiments.Observing;
using Harness.Experiments.Observing.Kernel;
using Harness.FuseProtocol.Wire;
using Harness.Runtime.Native;
using Harness.Tests.Mounts;
using Harness.Transport;

namespace Harness.Tests.Experiments.Observing;

/// <summary>Watching real mounts from outside: one body for all channels.</summary>
public sealed class ExplainMountTests
{
    private const int BlockBytes = 4096;
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan s_watched = TimeSpan.FromSeconds(1.5);

    public static TheoryData<string> Channels => ["dev-fuse", "clone", "io-uring"];

    [RealMountTheory]
    [MemberData(nameof(Channels))]
    public async Task EveryStageOfADirectReadIsKnown(string channel)
    {
        using var mounted = MountedFileSystem.Mount(null, "null", $"channel={channel}");
        Explanation explanation = await ExplainUnderLoad(mounted);
        Assert.Null(explanation.KernelProblem);
        OpcodeExplanation read = explanation.Opcodes.Single(each => each.Opcode == Opcode.Read);
        Assert.Equal(Stages.All, read.Stages.Select(figures => figures.Stage));
        Assert.Equal(1, read.Stages.Sum(figures => figures.Share), 6);
        Assert.InRange(read.Requests, 1, explanation.Recorded);
        // What the daemon does itself is timed for every request, once per request.
        Assert.All(read.Stages.Where(figures => figures.Stage is Stage.Session or Stage.FileSystem), figures => Assert.InRange(figures.Nanos.Count, 1, read.Requests));
    }

    [RealMountTheory]
    [MemberData(nameof(Channels))]
    public async Task AfterwardsTheDaemonStampsNothingAndTheKernelsInstanceIsGone(string channel)
    {
        using var mounted = MountedFileSystem.Mount(null, "null", $"channel={channel}");
        _ = await ExplainUnderLoad(mounted);
        Assert.True(SpinWait.SpinUntil(() => mounted.Host.Meters.Recording is null, s_limit));
        using var tracefs = Tracefs.Open();
        Assert.Empty(Directory.GetDirectories(Path.Combine(tracefs.Root, "instances"), $"harness-{Environment.ProcessId}-{ConnectionOf(mounted)}"));
    }

    [RealMountTheory]
    [MemberData(nameof(Channels))]
    public async Task StatsCountEveryRequestOfTheMount(string channel)
    {
        const int blocks = 50;
        using var mounted = MountedFileSystem.Mount(null, "null", $"channel={channel}");
        ReadBlocks(mounted.Path, blocks);
        using ControlClient client = await ControlClient.Connect(mounted.Path, CancellationToken.None);
        MountStats before = await client.Stats(CancellationToken.None);
        OpcodeCounts read = before.Opcodes.Single(counts => counts.Opcode == Opcode.Read);
        Assert.Equal((blocks, 0, (long)blocks * (BlockBytes + OutHeader.Size)), (read.Requests, read.Errors, read.BytesOut));
        Assert.True(read.Latencies.Sum() > 0);
        Assert.Equal(Environment.ProcessId, before.Pid);

        ReadBlocks(mounted.Path, 2 * blocks);
        MountStats since = (await client.Stats(CancellationToken.None)).Since(before);
        Assert.Equal(2 * blocks, since.Opcodes.Single(counts => counts.Opcode == Opcode.Read).Requests);
        Assert.DoesNotContain(since.Opcodes, counts => counts.Opcode == Opcode.Init);
        Assert.True(since.Process.ResidentBytes > 0 && since.Process.CpuNanos > 0 && since.Process.Collections <= GC.CollectionCount(0));
    }

    [RealMountFact]
    public async Task ALatencyThatIsInjectedIsTheFileSystems()
    {
        using var mounted = MountedFileSystem.Mount(null, "null", "latency=3ms");
        Explanation explanation = await ExplainUnderLoad(mounted);
        OpcodeExplanation read = explanation.Opcodes.Single(each => each.Opcode == Opcode.Read);
        Assert.True(read.Stages.Single(figures => figures.Stage == Stage.FileSystem).Nanos.PercentileNanos(1) >= 2_990_000);
    }

    [RealMountFact]
    public async Task OneWatcherAtATimeAndWhoeverIsKilledMakesRoom()
    {
        using var mounted = MountedFileSystem.Mount(null, "null");
        ControlClient first = await ControlClient.Connect(mounted.Path, CancellationToken.None);
        using ControlClient second = await ControlClient.Connect(mounted.Path, CancellationToken.None);
        await first.Start(CancellationToken.None);
        FuseTransportException refused = await Assert.ThrowsAsync<FuseTransportException>(() => second.Start(CancellationToken.None));
        Assert.Contains("another explain", refused.Message, StringComparison.Ordinal);
        Assert.NotNull(mounted.Host.Meters.Recording);

        first.Dispose();
        Assert.True(SpinWait.SpinUntil(() => mounted.Host.Meters.Recording is null, s_limit));
        await second.Start(CancellationToken.None);
        ReadBlocks(mounted.Path, 3);
        Assert.Equal(3, (await second.Stop(CancellationToken.None)).Count(record => record.Opcode == Opcode.Read));
    }

    [RealMountFact]
    public async Task AMountThatHasEndedIsNotFound()
    {
        var mounted = MountedFileSystem.Mount(null, "null");
        string socket = Assert.Single(ControlPath.Candidates(ConnectionOf(mounted)));
        mounted.Dispose();
        Assert.False(File.Exists(socket));
        BadArgumentsException exception = await Assert.ThrowsAsync<BadArgumentsException>(() => ControlClient.Connect(mounted.Path, CancellationToken.None));
        Assert.Contains(mounted.Path, exception.Message, StringComparison.Ordinal);
    }

    private static uint ConnectionOf(MountedFileSystem mounted) => Harness.Transport.Mounting.MountTable.Find(mounted.Path)!.DeviceMinor;

    private static async Task<Explanation> ExplainUnderLoad(MountedFileSystem mounted)
    {
        using var ended = new CancellationTokenSource();
        Task load = Task.Factory.StartNew(
            () =>
            {
                while (!ended.IsCancellationRequested)
                {
                    ReadBlocks(mounted.Path, 100);
                }
            },
            TaskCreationOptions.LongRunning);
        using Explainer explainer = await Explainer.Attach(mounted.Path, CancellationToken.None);
        Explanation explanation = await explainer.Watch(s_watched, CancellationToken.None);
        await ended.CancelAsync();
        await load.WaitAsync(s_limit);
        return explanation;
    }

    private static void ReadBlocks(string mountPoint, int count)
    {
        using OpenedFile file = Mounts.Posix.Open(Path.Combine(mountPoint, "zero.0"), FileFlags.ReadOnly | FileFlags.Direct);
        using var memory = new AlignedMemory(BlockBytes);
        for (int i = 0; i < count; i++)
        {
            Assert.Equal(BlockBytes, file.Read(memory.Span, (long)i * BlockBytes));
        }
    }
}
