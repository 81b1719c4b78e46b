using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;
using Harness.Tests.Mounts;
using Mono.Unix.Native;

namespace Harness.Tests.Transport;

/// <summary>A ring's thread that waits for an answer looks for it where the file system says that it will come from.</summary>
public sealed class AttendedAnswersTests
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(30);

    [RealMountFact]
    public async Task AnAnswerIsLookedForByTheRingThatBroughtTheRequest()
    {
        var attended = new AttendedFileSystem();
        using var mounted = MountedFileSystem.Mount(attended, "null", "channel=io-uring");
        Task<bool> known = Task.Run(() => Syscall.stat($"{mounted.Path}/something", out _) == 0);
        // Nobody else answers it, so that without the ring's looking this would wait for ever; and so that the mount can end then.
        Task ended = await Task.WhenAny(known, Task.Delay(s_limit));
        attended.Answer();
        Assert.Same(known, ended);
        Assert.True(await known);
    }

    /// <summary>Knows every name, but only says so when somebody attends.</summary>
    private sealed class AttendedFileSystem : IFileSystem, IAnswerSource
    {
        private TaskCompletionSource<Result<EntryOut>>? _asked;

        public IAnswerSource? Answers => this;

        public ValueTask<Result<EntryOut>> Lookup(RequestContext context, NodeId parent, ReadOnlyMemory<byte> name)
        {
            var asked = new TaskCompletionSource<Result<EntryOut>>();
            Volatile.Write(ref _asked, asked);
            return new(asked.Task);
        }

        public ValueTask<Result<AttrOut>> Getattr(RequestContext context, NodeId node, GetattrIn arg) =>
            new(new AttrOut { Attr = AttrOf(node) });

        public void Forget(NodeId node, ulong lookups)
        {
        }

        public bool TryAttend() => Volatile.Read(ref _asked) is not null;

        public bool Attend()
        {
            Answer();
            return false;
        }

        public void EndAttend()
        {
        }

        public void Answer() => Interlocked.Exchange(ref _asked, null)?.TrySetResult(
            new EntryOut { Nodeid = 2, Attr = AttrOf(new NodeId(2)) });

        private static Attr AttrOf(NodeId node) =>
            node == NodeId.Root ? new Attr { Ino = 1, Mode = 0x41ED, Nlink = 2 } : new Attr { Ino = node.Value, Mode = 0x81B6, Nlink = 1 };
    }
}
