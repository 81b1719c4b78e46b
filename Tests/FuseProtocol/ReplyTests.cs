using System.Collections.Concurrent;
using Harness.Experiments.Fuzz;
using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;
using Mono.Unix.Native;

namespace Harness.Tests.FuseProtocol;

public sealed class ReplyTests
{
    public static TheoryData<string> WithReply =>
    [
        .. GoldenMessages.All
            .Where(message => message.Reply is not null && message.Opcode is not (Opcode.Init or Opcode.Interrupt or Opcode.Destroy
                or Opcode.Setupmapping or Opcode.Removemapping))
            .Select(message => message.Name),
    ];

    [Fact]
    public void ASecondReplyIsRejected()
    {
        using var world = new SessionWorld();
        FakeRequest request = world.Deliver(GoldenMessages.Read);
        string message = Assert.Throws<InvalidOperationException>(() => request.Reply(Errno.EIO)).Message;
        Assert.Contains("answered twice", message);
        Assert.Throws<InvalidOperationException>(() => request.Reply(0));
        Assert.Throws<InvalidOperationException>(() => request.Reply(default(WriteOut)));
        Assert.Throws<InvalidOperationException>(request.Complete);
        Assert.Equal((1, 0, Errnos.Ok), (request.Replies, request.Completions, request.Error));
    }

    [Theory]
    [MemberData(nameof(WithReply))]
    public void AFileSystemThatThrowsIsAnsweredEioOnce(string name)
    {
        using var world = new SessionWorld();
        world.Files.During = () => throw new IOException("broken");
        FakeRequest request = world.Channel.Deliver(GoldenMessages.All.Single(message => message.Name == name).Request);
        Assert.Equal((1, 0, Errno.EIO, 0), (request.Replies, request.Completions, request.Error, request.ReplyLength));
        Assert.Equal(["broken"], world.Observer.Faults);
    }

    [Theory]
    [MemberData(nameof(WithReply))]
    public void AFileSystemThatFailsLaterIsAnsweredEioOnce(string name)
    {
        using var world = new SessionWorld();
        var gate = new TaskCompletionSource();
        world.Files.Before = _ => gate.Task;
        FakeRequest request = world.Channel.Deliver(GoldenMessages.All.Single(message => message.Name == name).Request);
        Assert.Equal(0, request.Replies);
        gate.SetException(new IOException("broken"));
        Assert.Equal((1, Errno.EIO, 0), (request.Replies, request.Error, request.ReplyLength));
        Assert.Equal(["broken"], world.Observer.Faults);
    }

    [Theory]
    [MemberData(nameof(WithReply))]
    public void ATaskThatHasFailedIsAnsweredOnTheSameStack(string name)
    {
        using var world = new SessionWorld();
        world.Files.Before = _ => Task.FromException(new IOException("broken"));
        FakeRequest request = world.Channel.Deliver(GoldenMessages.All.Single(message => message.Name == name).Request);
        Assert.Equal((1, Errno.EIO), (request.Replies, request.Error));
    }

    [Fact]
    public void AFileSystemThatThrowsWhereNoReplyIsTakenIsNotAnsweredForIt()
    {
        using var world = new SessionWorld();
        world.Files.During = () => throw new IOException("broken");
        foreach (GoldenMessage golden in new[] { GoldenMessages.Forget, GoldenMessages.BatchForget, GoldenMessages.NotifyReply })
        {
            FakeRequest request = world.Deliver(golden);
            Assert.Equal((0, 1), (request.Replies, request.Completions));
        }

        Assert.Equal(3, world.Observer.Faults.Count);
    }

    [Theory]
    [InlineData("Read", 17)]
    [InlineData("Read", -1)]
    [InlineData("Write", 6)]
    [InlineData("Write", -1)]
    [InlineData("Readdir", 4097)]
    [InlineData("Readdirplus", 4097)]
    [InlineData("Readlink", 4096)]
    [InlineData("Getxattr", -1)]
    [InlineData("GetxattrSize", -1)]
    [InlineData("Listxattr", -1)]
    [InlineData("Ioctl", 9)]
    [InlineData("Ioctl", -1)]
    public void MoreBytesThanThereWasRoomForAreAFault(string name, int length)
    {
        // The kernel would refuse such a reply, and its caller would hear no more than EIO either, but nobody would know why.
        using var world = new SessionWorld();
        world.Files.Length = length;
        FakeRequest request = world.Channel.Deliver(GoldenMessages.All.Single(message => message.Name == name).Request);
        Assert.Equal((1, Errno.EIO, 0), (request.Replies, request.Error, request.ReplyLength));
        Assert.Contains($"{length} bytes", Assert.Single(world.Observer.Faults));
    }

    [Theory]
    [InlineData("Getxattr")]
    [InlineData("Listxattr")]
    public void AnAttributeLongerThanAskedForIsErange(string name)
    {
        using var world = new SessionWorld();
        world.Files.Length = 65;
        FakeRequest request = world.Channel.Deliver(GoldenMessages.All.Single(message => message.Name == name).Request);
        Assert.Equal((1, Errno.ERANGE), (request.Replies, request.Error));
        Assert.Empty(world.Observer.Faults);
    }

    [Theory]
    [InlineData("rx Read")]
    [InlineData("tx Read")]
    public void AnObserverThatThrowsDoesNotCostTheCallerItsAnswer(string at)
    {
        using var world = new SessionWorld();
        world.Observer.During = line =>
        {
            if (line.StartsWith(at, StringComparison.Ordinal))
            {
                throw new IOException("no space for the trace");
            }
        };
        FakeRequest request = world.Deliver(GoldenMessages.Read);
        Assert.Equal(1, request.Replies);
        Assert.Equal(["no space for the trace"], world.Observer.Faults);
    }

    [Fact]
    public void EveryMessageIsObserved()
    {
        using var world = new SessionWorld();
        world.Deliver(GoldenMessages.Lookup);
        world.Deliver(GoldenMessages.LookupMissing);
        world.Deliver(GoldenMessages.Forget);
        Assert.Equal(["rx Lookup", "tx Lookup 0 128", "rx Lookup", "tx Lookup ENOENT 0", "rx Forget"], world.Observer.Lines);
    }

    [Theory]
    [InlineData(nameof(RequestShape.Device))]
    [InlineData(nameof(RequestShape.Ring))]
    [InlineData(nameof(RequestShape.Apart))]
    public void RequestsAreAnsweredOnWhateverThreadFinishesThem(string shape)
    {
        // Four threads hand out requests in slots of their own; four others finish them, in the order in which they come by them.
        const int Readers = 4;
        const int Rounds = 500;
        GoldenMessage[] mix = [GoldenMessages.Read, GoldenMessages.Write, GoldenMessages.Lookup, GoldenMessages.Setlkw, GoldenMessages.Ioctl];
        using var world = new SessionWorld(shape: Enum.Parse<RequestShape>(shape));
        using var waiting = new BlockingCollection<TaskCompletionSource>();
        world.Files.Before = _ =>
        {
            var gate = new TaskCompletionSource();
            waiting.Add(gate);
            return gate.Task;
        };
        FakeRequest[] slots = [.. Enumerable.Range(0, Readers).Select(_ => world.Channel.Add())];
        var wrong = new ConcurrentBag<string>();
        Thread[] finishers = Threads(Readers, _ =>
        {
            foreach (TaskCompletionSource gate in waiting.GetConsumingEnumerable())
            {
                gate.SetResult();
            }
        });
        Thread[] readers = Threads(Readers, reader =>
        {
            for (int round = 0; round < Rounds; round++)
            {
                GoldenMessage golden = mix[(reader + round) % mix.Length];
                world.Channel.TryDeliver(golden.Request, slots[reader]);
                SpinWait.SpinUntil(() => slots[reader].IsFree);
                if (slots[reader].Replies != 1 || !slots[reader].ReplyBytes.AsSpan().SequenceEqual(golden.Reply))
                {
                    wrong.Add(golden.Name);
                }
            }
        });
        Array.ForEach(readers, thread => thread.Join());
        waiting.CompleteAdding();
        Array.ForEach(finishers, thread => thread.Join());
        Assert.Empty(wrong);
        Assert.Empty(world.Observer.Faults);
    }

    [Theory]
    [InlineData(nameof(RequestShape.Device))]
    [InlineData(nameof(RequestShape.Ring))]
    public void ReadWriteGetattrAndLookupAllocateNothing(string shape)
    {
        var files = new InstantFileSystem();
        using var channel = new FakeChannel(new FuseSession(files, new SessionOptions()), Enum.Parse<RequestShape>(shape));
        channel.Deliver(GoldenMessages.Init.Request);
        FakeRequest slot = channel.Add();
        byte[][] messages =
        [
            GoldenMessages.Read.Request, GoldenMessages.Write.Request, GoldenMessages.Getattr.Request, GoldenMessages.Lookup.Request,
        ];
        Assert.Equal(0, Allocated(() =>
        {
            foreach (byte[] message in messages)
            {
                channel.TryDeliver(message, slot);
            }
        }));
        Assert.Equal(0, files.Unexpected);
    }

    [Fact]
    public void WaitingForAFileSystemAllocatesNothingInSteadyState()
    {
        var files = new WaitingFileSystem();
        using var channel = new FakeChannel(new FuseSession(files, new SessionOptions()), RequestShape.Device);
        channel.Deliver(GoldenMessages.Init.Request);
        FakeRequest slot = channel.Add();
        Assert.Equal(0, Allocated(() =>
        {
            channel.TryDeliver(GoldenMessages.Read.Request, slot);
            files.Finish();
            channel.TryDeliver(GoldenMessages.Fsync.Request, slot);
            files.Finish();
        }));
        Assert.Equal((1, Errnos.Ok), (slot.Replies, slot.Error));
    }

    private static long Allocated(Action action)
    {
        // The first rounds compile, and make what is kept for later.
        for (int i = 0; i < 3; i++)
        {
            action();
        }

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100; i++)
        {
            action();
        }

        return GC.GetAllocatedBytesForCurrentThread() - before;
    }

    private static Thread[] Threads(int count, Action<int> run)
    {
        Thread[] threads = [.. Enumerable.Range(0, count).Select(index => new Thread(() => run(index)))];
        Array.ForEach(threads, thread => thread.Start());
        return threads;
    }
}
