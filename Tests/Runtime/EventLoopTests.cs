using Harness.Runtime;

namespace Harness.Tests.Runtime;

public sealed class EventLoopTests
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(30);

    [Fact]
    public void PostsRunInOrderOnOneThread()
    {
        const int Count = 1000;
        using var done = new ManualResetEventSlim();
        using var loop = new EventLoop("test");
        var seen = new List<(int Number, int Thread)>();
        for (int i = 0; i < Count; i++)
        {
            loop.Post(
                state =>
                {
                    seen.Add(((int)state!, Environment.CurrentManagedThreadId));
                    if (seen.Count == Count)
                    {
                        done.Set();
                    }
                },
                i);
        }

        Assert.True(done.Wait(s_limit));
        Assert.Equal(Enumerable.Range(0, Count), seen.Select(item => item.Number));
        Assert.Single(seen.Select(item => item.Thread).Distinct());
    }

    [Fact]
    public void CallbacksWithADueTimeRunInItsOrderAndNeverEarly()
    {
        using var done = new ManualResetEventSlim();
        using var loop = new EventLoop("test");
        var seen = new List<(long Due, long Ran)>();
        // From a callback, so that none of them can run before all are known.
        loop.Post(
            _ =>
            {
                long start = loop.NowNanoseconds;
                foreach (long offset in (long[])[3_000_000, 200_000, 1_000_000, 200_000])
                {
                    loop.PostAt(start + offset, Note, start + offset);
                }
            },
            null);

        Assert.True(done.Wait(s_limit));
        Assert.Equal(seen.Select(item => item.Due).Order(), seen.Select(item => item.Due));
        Assert.All(seen, item => Assert.True(item.Ran >= item.Due, $"due {item.Due}, ran {item.Ran}"));

        void Note(object? due)
        {
            seen.Add(((long)due!, loop.NowNanoseconds));
            if (seen.Count == 4)
            {
                done.Set();
            }
        }
    }

    [Fact]
    public void AnEarlierDueTimeWakesALoopThatSleepsForALaterOne()
    {
        using var done = new ManualResetEventSlim();
        using var loop = new EventLoop("test");
        loop.PostAt(loop.NowNanoseconds + 3_600_000_000_000, _ => { }, null);
        loop.PostAt(loop.NowNanoseconds + 100_000, _ => done.Set(), null);
        Assert.True(done.Wait(s_limit));
    }

    [Fact]
    public void PostFromManyThreadsLosesNothing()
    {
        const int PerThread = 20_000;
        using var done = new ManualResetEventSlim();
        using var loop = new EventLoop("test");
        int count = 0;
        Parallel.For(0, 4, _ =>
        {
            for (int i = 0; i < PerThread; i++)
            {
                loop.Post(
                    _ =>
                    {
                        if (++count == 4 * PerThread)
                        {
                            done.Set();
                        }
                    },
                    null);
            }
        });
        Assert.True(done.Wait(s_limit), $"{count} of {4 * PerThread} ran");
    }

    [Fact]
    public void AThrowingCallbackIsReportedAndTheLoopGoesOn()
    {
        using var done = new ManualResetEventSlim();
        Exception? reported = null;
        using var loop = new EventLoop("test", fault => reported = fault);
        loop.Post(_ => throw new InvalidOperationException("planted"), null);
        loop.Post(_ => done.Set(), null);
        Assert.True(done.Wait(s_limit));
        Assert.Equal("planted", reported?.Message);
    }

    [Fact]
    public void AStoppedLoopRefusesWork()
    {
        var loop = new EventLoop("test");
        loop.Dispose();
        Assert.Throws<ObjectDisposedException>(() => loop.Post(_ => { }, null));
        Assert.Throws<ObjectDisposedException>(() => loop.PostAt(0, _ => { }, null));
    }

    [Fact]
    public async Task EverybodyWhoAwaitsATaskOnALoopGoesOnThere()
    {
        const int Waiters = 100;
        using var loop = new EventLoop("test");
        var common = new TaskCompletionSource();
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        int onLoop = 0;
        int ended = 0;
        for (int i = 0; i < Waiters; i++)
        {
            loop.Post(_ => _ = Wait(), null);
        }

        loop.Post(_ => common.SetResult(), null);
        await done.Task.WaitAsync(s_limit);
        Assert.Equal(Waiters, onLoop);

        async Task Wait()
        {
            await common.Task;
            if (loop.IsCurrent)
            {
                Interlocked.Increment(ref onLoop);
            }

            if (Interlocked.Increment(ref ended) == Waiters)
            {
                done.SetResult();
            }
        }
    }

    [Fact]
    public async Task WhatIsAwaitedOnALoopMayEndElsewhere()
    {
        using var loop = new EventLoop("test");
        var elsewhere = new TaskCompletionSource();
        var done = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        loop.Post(_ => _ = Wait(), null);
        loop.Post(_ => Task.Run(elsewhere.SetResult), null);
        Assert.True(await done.Task.WaitAsync(s_limit));

        async Task Wait()
        {
            await elsewhere.Task;
            done.SetResult(loop.IsCurrent);
        }
    }
}
