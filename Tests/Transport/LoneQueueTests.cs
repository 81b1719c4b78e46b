using Harness.Transport.Uring;

namespace Harness.Tests.Transport;

/// <summary>When the CPUs that serve nobody are kept awake for one that does.</summary>
public sealed class LoneQueueTests
{
    private const int Quick = 10_000;
    private const int ToBegin = 17;

    private readonly LoneQueue _lone = new(TimeSpan.FromMicroseconds(50));
    private long _now = 1_000_000;

    [Fact]
    public void OneRequestAfterAnotherInOneQueueWakesTheOthersOnce()
    {
        Assert.Equal([ToBegin], WakeUps(qid: 0, passes: 60_000));
        Assert.True(_lone.IsAnother(1));
        Assert.False(_lone.IsAnother(0));
    }

    [Fact]
    public void TheyAreAskedAgainNowAndThen() => Assert.Equal([ToBegin, ToBegin + 65_536], WakeUps(qid: 0, passes: 100_000));

    [Fact]
    public void ARequestInAnotherQueueEndsIt()
    {
        WakeUps(qid: 0, passes: 100);
        Assert.False(_lone.Note(1, 1, _now));
        Assert.False(_lone.IsAnother(0));
        Assert.False(_lone.IsAnother(1));
        Assert.Equal([ToBegin - 1], WakeUps(qid: 1, passes: 100));
    }

    [Fact]
    public void TwoRequestsAtATimeEndIt()
    {
        WakeUps(qid: 0, passes: 100);
        Assert.False(_lone.Note(0, 2, _now + Quick));
        Assert.False(_lone.IsAnother(1));
    }

    [Fact]
    public void APauseEndsIt()
    {
        WakeUps(qid: 0, passes: 100);
        Assert.False(_lone.Note(0, 1, _now + 50_000));
        Assert.False(_lone.IsAnother(1));
    }

    [Fact]
    public void RequestsNowAndThenWakeNobody()
    {
        for (int i = 0; i < 1000; i++)
        {
            Assert.False(_lone.Note(0, 1, _now += 60_000));
        }
    }

    [Fact]
    public void TheWatchEndsWhenTheQueueFallsSilent()
    {
        WakeUps(qid: 0, passes: 100);
        var watch = new LoneQueueWatch(_lone, 1);
        Assert.True(SpinWait.SpinUntil(() => !watch.Continue(), TimeSpan.FromSeconds(30)));
        Assert.True(_lone.IsAnother(1));
    }

    [Fact]
    public void TheWatchEndsWhereThereIsNothingToWatch() => Assert.False(new LoneQueueWatch(_lone, 1).Continue());

    [Fact]
    public void TheWatchEndsWhenRequestsComeToItsOwnQueue()
    {
        WakeUps(qid: 0, passes: 100);
        var watch = new LoneQueueWatch(_lone, 1);
        _lone.Note(1, 1, _now);
        Assert.False(watch.Continue());
    }

    /// <summary>Serves one request a pass, and says in which passes the others were woken, counted from 1.</summary>
    private List<int> WakeUps(int qid, int passes) =>
        [.. Enumerable.Range(1, passes).Where(_ => _lone.Note(qid, 1, _now += Quick))];
}
