using Harness.Runtime;

namespace Harness.Tests.Runtime;

public class EventLoopTurnTests
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(30);

    [Fact]
    public void WhoEntersIsTheLoopUntilLeaving()
    {
        using var loop = new EventLoop("test");
        SynchronizationContext? before = SynchronizationContext.Current;
        Enter(loop);
        Assert.True(loop.IsCurrent);
        Assert.NotSame(before, SynchronizationContext.Current);
        Assert.False(loop.TryEnter(), "The loop is entered already.");
        loop.Leave();
        Assert.False(loop.IsCurrent);
        Assert.Same(before, SynchronizationContext.Current);
    }

    [Fact]
    public void WhatIsPostedInsideRunsThereBeforeTheThreadLeaves()
    {
        using var loop = new EventLoop("test");
        int ranOn = 0;
        Enter(loop);
        loop.Post(_ => loop.Post(_ => ranOn = Environment.CurrentManagedThreadId, null), null);
        Assert.Equal(0, ranOn);
        loop.Leave();
        Assert.Equal(Environment.CurrentManagedThreadId, ranOn);
    }

    [Fact]
    public void MoreThanATurnsWorkGoesOnOnTheLoopsOwnThread()
    {
        const int Callbacks = 5000;
        using var done = new ManualResetEventSlim();
        using var loop = new EventLoop("test");
        int ran = 0;
        Enter(loop);
        for (int i = 0; i < Callbacks; i++)
        {
            loop.Post(
                _ =>
                {
                    if (++ran == Callbacks)
                    {
                        done.Set();
                    }
                },
                null);
        }

        loop.Leave();
        Assert.True(done.Wait(s_limit), $"{ran} of {Callbacks} ran");
    }

    [Fact]
    public void NobodyEntersALoopThatIsBusy()
    {
        using var inside = new ManualResetEventSlim();
        using var goOn = new ManualResetEventSlim();
        using var loop = new EventLoop("test");
        loop.Post(
            _ =>
            {
                inside.Set();
                goOn.Wait(s_limit);
            },
            null);
        Assert.True(inside.Wait(s_limit));
        bool entered = loop.TryEnter();
        goOn.Set();
        Assert.False(entered);
    }

    [Fact]
    public void TheLoopsOwnThreadWaitsForWhoIsInside()
    {
        using var done = new ManualResetEventSlim();
        using var loop = new EventLoop("test");
        bool isInside = true;
        bool sawInside = false;
        Enter(loop);
        var other = new Thread(() => loop.Post(
            _ =>
            {
                sawInside = isInside;
                done.Set();
            },
            null));
        other.Start();
        other.Join();
        isInside = false;
        loop.Leave();
        Assert.True(done.Wait(s_limit));
        Assert.False(sawInside);
    }

    [Fact]
    public void TurnsNeverOverlap()
    {
        const int PerThread = 20_000;
        const int Threads = 4;
        using var done = new CountdownEvent(Threads * PerThread);
        using var loop = new EventLoop("test", spinNanoseconds: 20_000);
        int inside = 0;
        int overlaps = 0;
        int plain = 0;
        void Work()
        {
            overlaps += Interlocked.Increment(ref inside) == 1 ? 0 : 1;
            plain++;
            Interlocked.Decrement(ref inside);
            done.Signal();
        }

        Parallel.For(0, Threads, thread =>
        {
            for (int i = 0; i < PerThread; i++)
            {
                if (thread % 2 == 0 && loop.TryEnter())
                {
                    Work();
                    loop.Leave();
                }
                else if (thread == 1)
                {
                    loop.PostAt(loop.NowNanoseconds + (i % 100), _ => Work(), null);
                }
                else
                {
                    loop.Post(_ => Work(), null);
                }
            }
        });
        Assert.True(done.Wait(s_limit), $"{done.CurrentCount} did not run");
        Assert.Equal((0, Threads * PerThread), (overlaps, plain));
    }

    [Fact]
    public void WhatACallbackThrowsInATurnIsTheLoopsAndNotTheThreads()
    {
        using var reported = new ManualResetEventSlim();
        string? message = null;
        using var loop = new EventLoop("test", fault =>
        {
            message = fault.Message;
            reported.Set();
        });
        Enter(loop);
        loop.Post(_ => throw new InvalidOperationException("planted"), null);
        loop.Leave();
        Assert.True(reported.Wait(s_limit));
        Assert.Equal("planted", message);
        Assert.False(loop.IsCurrent);
    }

    [Fact]
    public async Task AnAwaitInsideGoesOnInTheLoopsContext()
    {
        using var loop = new EventLoop("test");
        var common = new TaskCompletionSource();
        Enter(loop);
        Task<bool> waiting = Wait();
        loop.Leave();
        loop.Post(_ => common.SetResult(), null);
        Assert.True(await waiting.WaitAsync(s_limit));

        async Task<bool> Wait()
        {
            await common.Task;
            return loop.IsCurrent;
        }
    }

    [Fact]
    public void AStoppedLoopLetsNobodyInAndOneThatIsEnteredIsNotStoppedFromInside()
    {
        var loop = new EventLoop("test");
        Enter(loop);
        Assert.Throws<InvalidOperationException>(loop.Dispose);
        loop.Leave();
        loop.Dispose();
        Assert.False(loop.TryEnter());
    }

    /// <summary>A loop that has just started may hold its turn for a moment, so that one try is not enough.</summary>
    private static void Enter(EventLoop loop) => Assert.True(SpinWait.SpinUntil(loop.TryEnter, s_limit));
}
