using Harness.Cluster;
using Harness.Cluster.Chunks.Server;
using Harness.Simulation.Scheduling;

namespace Harness.Tests.Cluster.Chunks;

/// <summary>When a server that had work gives its memory back.</summary>
public sealed class IdleWatchTests
{
    private const long Second = 1_000_000_000;

    private readonly SimScheduler _world = new(new SimSchedulerOptions { Seed = 1 });
    private readonly IdleWatch _watch;
    private long _work;
    private int _rests;

    public IdleWatchTests()
    {
        SimLoop loop = _world.StartProcess("cs").StartLoop("cs");
        _watch = new IdleWatch(loop, () => _work, () =>
        {
            _rests++;
            return LoopYield.Yield(loop);
        });
        loop.Post(_ => _watch.Start(), null);
    }

    [Fact]
    public void AServerWithoutWorkNeverRests()
    {
        RunFor(10 * IdleWatch.IdleNanoseconds);
        Assert.Equal(0, _rests);
    }

    [Fact]
    public void ItRestsOnceAfterEachTimeOfWork()
    {
        for (int times = 1; times <= 3; times++)
        {
            RunFor(Second);
            _work++;
            RunFor(IdleWatch.IdleNanoseconds - Second);
            Assert.Equal(times - 1, _rests);
            RunFor(10 * IdleWatch.IdleNanoseconds);
            Assert.Equal(times, _rests);
        }
    }

    [Fact]
    public void WhileThereIsWorkItDoesNot()
    {
        for (int i = 0; i < 20; i++)
        {
            _work++;
            RunFor(IdleWatch.IdleNanoseconds - (2 * Second));
        }

        Assert.Equal(0, _rests);
    }

    [Fact]
    public void OnceItIsStoppedItDoesNot()
    {
        _work++;
        RunFor(Second);
        _watch.Stop();
        RunFor(10 * IdleWatch.IdleNanoseconds);
        Assert.Equal(0, _rests);
    }

    private void RunFor(long nanoseconds) => _world.RunUntil(_world.NowNanoseconds + nanoseconds);
}
