using System.Diagnostics;
using Harness.Experiments.Machine;

namespace Harness.Tests.Experiments.Machine;

/// <summary>CPU time of threads, as the kernel counts it.</summary>
public sealed class SchedStatTests
{
    private const int NoProcess = int.MaxValue;
    private const long Enough = 10_000_000;

    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(30);

    [Fact]
    public void AThreadsCpuTimeGrowsWhileItComputesAndIsPartOfItsProcesss()
    {
        long started = Stopwatch.GetTimestamp();
        long before = SchedStat.RunTimeNanos();
        long after = before;
        while (after < before + Enough && Stopwatch.GetElapsedTime(started) < s_limit)
        {
            after = SchedStat.RunTimeNanos();
        }

        Assert.InRange(after, before + Enough, long.MaxValue);
        Assert.InRange(SchedStat.RunTimeNanosOf(Environment.ProcessId), after, long.MaxValue);
    }

    [Fact]
    public void AProcessThatIsNotThereIsRefused() => Assert.Throws<DirectoryNotFoundException>(() => SchedStat.RunTimeNanosOf(NoProcess));
}
