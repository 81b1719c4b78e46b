using System.Net.Sockets;
using Harness.Runtime;

namespace Harness.Tests.Runtime;

/// <summary>Threads that look after a loop's descriptors for it.</summary>
public sealed class EventLoopAttendingTests
{
    private const long Hour = 3_600_000_000_000;

    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(30);

    [Fact]
    public void WhoAttendsCarriesOutWhatComes()
    {
        using var world = new Watched();
        world.Expect(Hour);
        Assert.True(world.Loop.TryAttend());
        world.Send();
        while (world.Times == 0)
        {
            Assert.True(world.Loop.Attend());
        }

        // The loop's own thread may have slept on the descriptors before; by the second time it stands by.
        while (!world.Threads.Contains(Environment.CurrentManagedThreadId))
        {
            int before = world.Times;
            world.Send();
            while (world.Times == before)
            {
                Assert.True(world.Loop.Attend());
            }
        }

        world.Loop.EndAttend();
    }

    [Fact]
    public void NobodyAttendsToALoopThatExpectsNothing()
    {
        using var world = new Watched();
        Assert.False(world.Loop.TryAttend());
        world.Expect(1);
        SpinWait.SpinUntil(() => !world.Loop.Attend(), s_limit);
        Assert.False(world.Loop.TryAttend());
    }

    [Fact]
    public void OneThreadAtATimeAttends()
    {
        using var world = new Watched();
        world.Expect(Hour);
        Assert.True(world.Loop.TryAttend());
        Assert.True(world.Loop.Attend());
        bool another = true;
        var thread = new Thread(() => another = world.Loop.TryAttend());
        thread.Start();
        thread.Join();
        Assert.False(another);
        Assert.True(world.Loop.TryAttend());
        world.Loop.EndAttend();
        thread = new Thread(() => another = world.Loop.TryAttend());
        thread.Start();
        thread.Join();
        Assert.True(another);
    }

    [Fact]
    public void WhatIsPostedAndWhatIsDueRunsThoughWhoAttendsNeverLooks()
    {
        using var world = new Watched();
        world.Expect(Hour);
        Assert.True(world.Loop.TryAttend());
        Assert.True(world.Loop.Attend());
        using var done = new CountdownEvent(200);
        for (int i = 0; i < 100; i++)
        {
            world.Loop.Post(_ => done.Signal(), null);
            world.Loop.PostAt(world.Loop.NowNanoseconds + (i * 1000), _ => done.Signal(), null);
        }

        Assert.True(done.Wait(s_limit));
    }

    [Fact]
    public void WhatIsPostedAndWhatIsDueRunsWhileSomebodyLooks()
    {
        using var world = new Watched();
        world.Expect(Hour);
        Assert.True(world.Loop.TryAttend());
        for (int i = 0; i < 2000; i++)
        {
            using var done = new CountdownEvent(2);
            world.Loop.Post(_ => done.Signal(), null);
            world.Loop.PostAt(world.Loop.NowNanoseconds + 1000, _ => done.Signal(), null);
            world.Send();
            Assert.True(SpinWait.SpinUntil(() => world.Loop.Attend() && done.IsSet, s_limit), $"round {i}");
        }
    }

    [Fact]
    public void TheLoopLooksItselfOnceNobodyHasForAsLongAsSomethingWasExpected()
    {
        using var world = new Watched();
        world.Expect(2_000_000);
        if (world.Loop.TryAttend())
        {
            _ = world.Loop.Attend();
        }

        world.Send();
        Assert.True(SpinWait.SpinUntil(() => world.Times > 0, s_limit));
    }

    [Fact]
    public void TheLoopLooksItselfAfterEndAttend()
    {
        using var world = new Watched();
        for (int i = 0; i < 500; i++)
        {
            world.Expect(Hour);
            Assert.True(world.Loop.TryAttend());
            Assert.True(world.Loop.Attend());
            world.Loop.EndAttend();
            int before = world.Times;
            world.Send();
            Assert.True(SpinWait.SpinUntil(() => world.Times > before, s_limit), $"round {i}");
        }
    }

    [Fact]
    public void ALoopStopsWhileSomebodyAttends()
    {
        using var world = new Watched();
        world.Expect(Hour);
        Assert.True(world.Loop.TryAttend());
        Assert.True(world.Loop.Attend());
        world.Loop.Dispose();
        Assert.False(world.Loop.Attend());
        Assert.False(world.Loop.TryAttend());
    }

    /// <summary>A loop that watches one end of a pair of sockets.</summary>
    private sealed class Watched : IReadinessHandler, IDisposable
    {
        private readonly Socket _sender;
        private readonly Socket _watched;
        private readonly byte[] _buffer = new byte[4096];
        private int _times;

        public Watched()
        {
            using var listener = new Socket(SocketType.Stream, ProtocolType.Tcp);
            listener.Bind(new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, 0));
            listener.Listen();
            _sender = new Socket(SocketType.Stream, ProtocolType.Tcp);
            _sender.Connect(listener.LocalEndPoint!);
            _watched = listener.Accept();
            _watched.Blocking = false;
            using var ready = new ManualResetEventSlim();
            Loop.Post(
                _ =>
                {
                    Loop.Watch(_watched.SafeHandle, this, writable: false);
                    ready.Set();
                },
                null);
            Assert.True(ready.Wait(s_limit));
        }

        public EventLoop Loop { get; } = new("test");

        public int Times => Volatile.Read(ref _times);

        public List<int> Threads { get; } = [];

        public void OnReady(bool readable, bool writable)
        {
            while (_watched.Available > 0)
            {
                _ = _watched.Receive(_buffer);
            }

            Threads.Add(Environment.CurrentManagedThreadId);
            Interlocked.Increment(ref _times);
        }

        public void Send() => _sender.Send([1]);

        public void Expect(long nanoseconds)
        {
            using var done = new ManualResetEventSlim();
            Loop.Post(
                _ =>
                {
                    Loop.ExpectWithin(nanoseconds);
                    done.Set();
                },
                null);
            Assert.True(done.Wait(s_limit));
        }

        public void Dispose()
        {
            Loop.Dispose();
            _sender.Dispose();
            _watched.Dispose();
        }
    }
}
