using Harness.Experiments.Fuzz;
using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;
using Mono.Unix.Native;

namespace Harness.Tests.FuseProtocol;

public sealed class InterruptTests
{
    [Theory]
    [InlineData(nameof(RequestShape.Device))]
    [InlineData(nameof(RequestShape.Ring))]
    public void AWaitingRequestIsInterrupted(string shape)
    {
        using var world = new SessionWorld(shape: Enum.Parse<RequestShape>(shape));
        world.Files.Before = UntilInterrupted;
        FakeRequest waiting = world.Deliver(GoldenMessages.Setlkw);
        Assert.False(waiting.IsEnded);

        FakeRequest interrupt = world.Channel.Deliver(Interrupt(waiting.Header.Unique));

        Assert.Equal((0, 1), (interrupt.Replies, interrupt.Completions));
        Assert.Equal((1, Errno.EINTR), (waiting.Replies, waiting.Error));
        Assert.Empty(world.Observer.Faults);
    }

    [Fact]
    public void AnInterruptBeforeTheTokenIsAskedForIsNotLost()
    {
        using var world = new SessionWorld();
        var gate = new TaskCompletionSource();
        bool? seen = null;
        world.Files.Before = async context =>
        {
            await gate.Task;
            seen = context.Interrupted.IsCancellationRequested;
        };
        FakeRequest waiting = world.Deliver(GoldenMessages.Read);
        Assert.Equal(1, world.Channel.Deliver(Interrupt(waiting.Header.Unique)).Completions);
        gate.SetResult();
        Assert.True(seen);
        Assert.Equal((1, Errnos.Ok), (waiting.Replies, waiting.Error));
    }

    [Fact]
    public void AnInterruptOfAnUnknownRequestIsAnsweredEagain()
    {
        using var world = new SessionWorld();
        FakeRequest interrupt = world.Channel.Deliver(Interrupt(4096));
        Assert.Equal((1, Errno.EAGAIN, 0), (interrupt.Replies, interrupt.Error, interrupt.ReplyLength));
    }

    [Fact]
    public void AnInterruptOfAnAnsweredRequestIsAnsweredEagainToo()
    {
        using var world = new SessionWorld();
        FakeRequest answered = world.Deliver(GoldenMessages.Read);
        Assert.True(answered.IsFree);
        FakeRequest interrupt = world.Channel.Add();
        Assert.True(world.Channel.TryDeliver(Interrupt(answered.Header.Unique), interrupt));
        Assert.Equal((1, Errno.EAGAIN), (interrupt.Replies, interrupt.Error));
    }

    [Fact]
    public void AnInterruptThatOvertakesItsRequestIsDeliveredWhenThatComes()
    {
        using var world = new SessionWorld();
        ulong unique = GoldenUnique(GoldenMessages.Setlkw);
        Assert.Equal(Errno.EAGAIN, world.Channel.Deliver(Interrupt(unique)).Error);

        world.Files.Before = UntilInterrupted;
        FakeRequest late = world.Deliver(GoldenMessages.Setlkw);
        Assert.Equal((1, Errno.EINTR), (late.Replies, late.Error));
    }

    [Fact]
    public void AnInterruptThatOvertakesIsForThatRequestAlone()
    {
        using var world = new SessionWorld();
        List<bool> interrupted = [];
        world.Files.Before = context =>
        {
            interrupted.Add(context.Interrupted.IsCancellationRequested);
            return Task.CompletedTask;
        };
        // 64 numbers further on an interrupt waits in the same place.
        ulong unique = GoldenUnique(GoldenMessages.Read);
        world.Channel.Deliver(Interrupt(unique + 128));
        world.Deliver(GoldenMessages.Read);
        world.Channel.Deliver(Interrupt(unique));
        world.Deliver(GoldenMessages.Read);
        world.Deliver(GoldenMessages.Read);
        Assert.Equal([false, true, false], interrupted);
    }

    [Fact]
    public void TheNextRequestInASlotIsNotInterruptedByTheLastOnesInterrupt()
    {
        using var world = new SessionWorld();
        var gates = new Queue<TaskCompletionSource>();
        List<CancellationToken> tokens = [];
        world.Files.Before = context =>
        {
            tokens.Add(context.Interrupted);
            gates.Enqueue(new TaskCompletionSource());
            return gates.Last().Task;
        };
        FakeRequest slot = world.Channel.Add();
        ulong first = GoldenUnique(GoldenMessages.Read);
        Assert.True(world.Channel.TryDeliver(GoldenMessages.Read.Request, slot));
        Assert.Equal(1, world.Channel.Deliver(Interrupt(first)).Completions);
        gates.Dequeue().SetResult();
        Assert.True(slot.IsFree);

        Assert.True(world.Channel.TryDeliver(GoldenMessages.Write.Request, slot));
        FakeRequest late = world.Channel.Deliver(Interrupt(first));
        Assert.Equal(Errno.EAGAIN, late.Error);
        Assert.Equal([true, false], tokens.Select(token => token.IsCancellationRequested));
        gates.Dequeue().SetResult();
        Assert.Equal((1, Errnos.Ok), (slot.Replies, slot.Error));
    }

    [Fact]
    public void AResentRequestIsInterruptedByEitherOfItsNumbers()
    {
        foreach (ulong number in (ulong[])[66, 66 | Protocol.UniqueResend])
        {
            AssertInterruptedBy(number);
        }
    }

    private static void AssertInterruptedBy(ulong number)
    {
        using var world = new SessionWorld();
        world.Files.Before = UntilInterrupted;
        FakeRequest waiting = world.Channel.Deliver(FuseMessage.Build(Opcode.Statfs, 66 | Protocol.UniqueResend));
        Assert.False(waiting.IsEnded);
        Assert.Equal(1, world.Channel.Deliver(Interrupt(number)).Completions);
        Assert.Equal((1, Errno.EINTR), (waiting.Replies, waiting.Error));
    }

    [Fact]
    public void AnAnswerThatFollowsFromAnInterruptMayTakeTheSlotAtOnce()
    {
        // The callback answers, and the channel hands out a new slot, all inside of the interrupt's own handling.
        using var world = new SessionWorld();
        var gate = new TaskCompletionSource();
        world.Files.Before = context =>
        {
            context.Interrupted.Register(() =>
            {
                gate.SetResult();
                world.Files.Before = null;
                world.Channel.TryDeliver(GoldenMessages.Getattr.Request, world.Channel.Add());
            });
            return gate.Task;
        };
        FakeRequest waiting = world.Deliver(GoldenMessages.Setlkw);
        FakeRequest interrupt = world.Channel.Deliver(Interrupt(waiting.Header.Unique));
        Assert.Equal((0, 1), (interrupt.Replies, interrupt.Completions));
        Assert.All(world.Channel.Slots, slot => Assert.True(slot.IsEnded));
        Assert.Empty(world.Observer.Faults);
    }

    [Fact]
    public void AnOperationCancelledForAnotherReasonIsAFault()
    {
        using var world = new SessionWorld();
        world.Files.Before = _ => Task.FromCanceled(new CancellationToken(canceled: true));
        FakeRequest request = world.Deliver(GoldenMessages.Read);
        Assert.Equal((1, Errno.EIO), (request.Replies, request.Error));
        Assert.Single(world.Observer.Faults);
    }

    [Fact]
    public void InterruptsAndTheirRequestsMayMeetOnAnyThread()
    {
        // Each request waits for its interrupt, which another thread sends at about the same time: none may be missed.
        const uint Rounds = 2000;
        using var world = new SessionWorld();
        world.Files.Before = UntilInterrupted;
        FakeRequest request = world.Channel.Add();
        FakeRequest interrupt = world.Channel.Add();
        using var barrier = new Barrier(2);
        bool missed = false;
        void Meet(Action<uint> act)
        {
            for (uint round = 0; round < Rounds && !missed; round++)
            {
                barrier.SignalAndWait();
                act(1000 + (2 * round));
                barrier.SignalAndWait();
                // Where the two meet in the middle, the answer comes by a third thread.
                SpinWait.SpinUntil(() => request.IsEnded, TimeSpan.FromSeconds(30));
                missed |= !request.IsEnded || request.Error != Errno.EINTR;
                barrier.SignalAndWait();
            }
        }

        var sender = new Thread(() => Meet(unique => world.Channel.TryDeliver(Interrupt(unique), interrupt)));
        var reader = new Thread(() => Meet(unique => world.Channel.TryDeliver(FuseMessage.Build(Opcode.Statfs, unique), request)));
        sender.Start();
        reader.Start();
        sender.Join();
        reader.Join();
        Assert.False(missed);
    }

    private static Task UntilInterrupted(RequestContext context)
    {
        // As Task.Delay would, but on the stack of whoever interrupts.
        var waiting = new TaskCompletionSource();
        CancellationToken token = context.Interrupted;
        token.Register(() => waiting.SetCanceled(token));
        return waiting.Task;
    }

    private static byte[] Interrupt(ulong unique) =>
        FuseMessage.Build(Opcode.Interrupt, unique | 1, new InterruptIn { Unique = unique }, nodeId: 0);

    private static ulong GoldenUnique(GoldenMessage message) => BitConverter.ToUInt64(message.Request, 8);
}
