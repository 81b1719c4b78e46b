using Harness.Runtime;
using Harness.Transport.Uring;

namespace Harness.Tests.Transport;

/// <summary>Where the thread of a CPU's queue runs: beside applications that wait for it, out of the way of those that do not.</summary>
public sealed class LoadPlacementTests
{
    private const uint Application = 4711;

    // Any CPU that the tests may use. On a machine with one the thread has nowhere else to go, but says where it would be.
    private static readonly CpuSet s_anywhere = ThreadPlacement.Allowed();
    private static readonly CpuSet s_home = new([s_anywhere.Numbers.First()]);

    [Fact]
    public void WithApplicationsThatWaitItStaysOnItsCpu() => OnAThread(() =>
    {
        LoadPlacement placement = Placed();
        for (int i = 0; i < 10_000; i++)
        {
            Pass(ref placement, Application, Application + 1, Application + 2);
        }

        Assert.False(placement.IsAway);
        Assert.Equal(s_home, ThreadPlacement.Allowed());
    });

    [Fact]
    public void OneThatHasSeveralRequestsThereLetsItGo() => OnAThread(() =>
    {
        LoadPlacement placement = Away();
        Assert.True(placement.IsAway);
        Assert.Equal(s_anywhere, ThreadPlacement.Allowed());
    });

    [Fact]
    public void AwayItReturnsNowAndThenToLook() => OnAThread(() =>
    {
        LoadPlacement placement = Away();
        int requests = 0;
        while (placement.IsAway)
        {
            Pass(ref placement, Application);
            requests++;
        }

        Assert.Equal(4096, requests);
        Assert.Equal(s_home, ThreadPlacement.Allowed());
    });

    [Fact]
    public void AwayItStaysAsLongAsSeveralAreThere() => OnAThread(() =>
    {
        LoadPlacement placement = Away();
        for (int i = 0; i < 10_000; i++)
        {
            Pass(ref placement, Application, Application);
            Assert.True(placement.IsAway);
        }
    });

    [Fact]
    public void TheSameApplicationInTwoPassesHasWaited() => OnAThread(() =>
    {
        LoadPlacement placement = Placed();
        for (int i = 0; i < 1000; i++)
        {
            Pass(ref placement, Application);
        }

        Assert.False(placement.IsAway);
    });

    [Fact]
    public void ACpuThatTheProcessMayNotUseIsNotTaken() => OnAThread(() =>
    {
        var placement = new LoadPlacement(new CpuSet([CpuSet.NumberMax]), s_anywhere);
        placement.Apply();
        for (int i = 0; i < 100; i++)
        {
            Pass(ref placement, Application, Application, Application);
        }

        Assert.False(placement.IsAway);
        Assert.Equal(s_anywhere, ThreadPlacement.Allowed());
    });

    private static LoadPlacement Placed()
    {
        var placement = new LoadPlacement(s_home, s_anywhere);
        placement.Apply();
        return placement;
    }

    private static LoadPlacement Away()
    {
        LoadPlacement placement = Placed();
        for (int i = 0; i < 8; i++)
        {
            Assert.False(placement.IsAway);
            Pass(ref placement, [.. Enumerable.Repeat(Application, 8)]);
        }

        return placement;
    }

    private static void Pass(ref LoadPlacement placement, params ReadOnlySpan<uint> requesters)
    {
        foreach (uint requester in requesters)
        {
            placement.Note(requester);
        }

        placement.EndPass();
    }

    /// <summary>Runs a claim on a thread of its own, which may be pinned.</summary>
    private static void OnAThread(Action claim)
    {
        Exception? failure = null;
        var thread = new Thread(() => failure = Record.Exception(claim));
        thread.Start();
        thread.Join();
        Assert.Null(failure);
    }
}
