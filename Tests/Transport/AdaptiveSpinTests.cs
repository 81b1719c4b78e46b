using Harness.Transport;

namespace Harness.Tests.Transport;

/// <summary>When a thread that has nothing to do asks again, and when it lets that be.</summary>
public sealed class AdaptiveSpinTests
{
    private static readonly TimeSpan s_window = TimeSpan.FromMicroseconds(50);

    [Fact]
    public void WithoutAWindowItNeverSpins() => Assert.False(new AdaptiveSpin(TimeSpan.Zero, new SpinTurn(), onlyIdle: false).TryBegin());

    [Fact]
    public void EachWaitInVainLeavesOutTwiceAsManyAndOneMoreUpToABound()
    {
        var spin = new AdaptiveSpin(s_window, new SpinTurn(), onlyIdle: false);
        int[] leftOut = [.. Enumerable.Range(0, 12).Select(_ => LeaveOutAfter(ref spin, foundWork: false))];
        Assert.Equal([1, 3, 7, 15, 31, 63, 127, 255, 511, 1023, 1023, 1023], leftOut);
    }

    [Fact]
    public void OneThatFindsWorkEndsThat()
    {
        var spin = new AdaptiveSpin(s_window, new SpinTurn(), onlyIdle: false);
        Assert.Equal(1, LeaveOutAfter(ref spin, foundWork: false));
        Assert.Equal(0, LeaveOutAfter(ref spin, foundWork: true));
        Assert.Equal(1, LeaveOutAfter(ref spin, foundWork: false));
    }

    [Fact]
    public void OneThreadAtATimeHasTheTurn()
    {
        var turn = new SpinTurn();
        var one = new AdaptiveSpin(s_window, turn, onlyIdle: false);
        var other = new AdaptiveSpin(s_window, turn, onlyIdle: false);
        Assert.True(one.TryBegin());
        Assert.False(other.TryBegin());
        one.End(foundWork: true);
        Assert.True(other.TryBegin());
    }

    [Fact]
    public void TheWindowEnds()
    {
        var spin = new AdaptiveSpin(s_window, new SpinTurn(), onlyIdle: false);
        Assert.True(spin.TryBegin());
        Assert.True(SpinWait.SpinUntil(() => !spin.Continue(), TimeSpan.FromSeconds(30)));
    }

    /// <summary>Waits once, and counts the waits that are left out after it.</summary>
    private static int LeaveOutAfter(ref AdaptiveSpin spin, bool foundWork)
    {
        Assert.True(spin.TryBegin());
        spin.End(foundWork);
        int count = 0;
        while (!spin.TryBegin())
        {
            count++;
        }

        // What began above is the next wait; it ends as one that never was.
        AdaptiveSpin before = spin;
        before.End(foundWork: true);
        return count;
    }
}
