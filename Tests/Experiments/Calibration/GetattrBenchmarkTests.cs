using Harness.Experiments.Calibration;
using Harness.Runtime;
using Harness.Tests.Experiments.Commands;
using Harness.Tests.Mounts;
using Harness.Transport;
using Harness.Transport.Mounting;
using Mono.Unix.Native;

namespace Harness.Tests.Experiments.Calibration;

/// <summary>What becomes of the measurement of GETATTR when its daemon ends in the middle.</summary>
public sealed class GetattrBenchmarkTests
{
    private const string FileName = "/zero.0";

    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(30);
    private static readonly int s_cpu = Topology.Current.Online.Numbers.First();

    [RealMountFact]
    public async Task ADaemonThatEndsByItselfIsAnErrorThatSaysSo()
    {
        Exception failure = await FailureOf(_ => { });
        Assert.Contains("GETATTR could not be measured", Assert.IsType<FuseTransportException>(failure).Message, StringComparison.Ordinal);
    }

    /// <summary>Ctrl-C goes to all processes of the group, and the daemon's end may be seen before the benchmark looks whether it is to go on.</summary>
    [RealMountFact]
    public async Task ADaemonThatEndsBecauseEverybodyWasInterruptedIsAnInterruption() =>
        Assert.IsType<OperationCanceledException>(await FailureOf(interruption => interruption.Cancel()));

    /// <summary>Kills the daemon as soon as the benchmark has opened its file; nothing is left of it.</summary>
    private static async Task<Exception> FailureOf(Action<CancellationTokenSource> whenKilled)
    {
        using var interruption = new CancellationTokenSource();
        var sampler = new Sampler(Sampler.BatchesMin, interruption.Token);
        Task measuring = Task.Run(() => GetattrBenchmark.Measure(sampler, s_cpu, interruption.Token), CancellationToken.None);
        string? file = null;
        Assert.True(SpinWait.SpinUntil(() => (file = OpenFiles().FirstOrDefault()) is not null || measuring.IsCompleted, s_limit));
        Assert.NotNull(file);
        string mountPoint = file[..^FileName.Length];
        int daemon = ChildProcess.Find(Environment.ProcessId, mountPoint);
        // Process 0 is for kill(2) every process of the test run's group.
        Assert.NotEqual(0, daemon);
        whenKilled(interruption);
        // An interrupted benchmark may have ended its daemon by now; then there is none to kill.
        Syscall.kill(daemon, Signum.SIGKILL);
        Exception failure = await Assert.ThrowsAnyAsync<Exception>(() => measuring.WaitAsync(s_limit));
        Assert.Null(MountTable.Find(mountPoint));
        Assert.False(Directory.Exists(mountPoint));
        return failure;
    }

    /// <summary>Files that this process has open on the mounts of a calibration.</summary>
    private static IEnumerable<string> OpenFiles() => Directory.EnumerateFiles("/proc/self/fd").Select(TargetOf)
        .Where(target => target.Contains("/harness-calibrate-", StringComparison.Ordinal) && target.EndsWith(FileName, StringComparison.Ordinal));

    private static string TargetOf(string link)
    {
        try
        {
            return File.ResolveLinkTarget(link, returnFinalTarget: false)?.FullName ?? string.Empty;
        }
        catch (IOException)
        {
            // It has been closed since it was listed.
            return string.Empty;
        }
    }
}
