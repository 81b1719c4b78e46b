using System.Runtime.CompilerServices;
using Harness.Cluster.Chunks.Store;
using Harness.Cluster.Net;
using Harness.FuseProtocol;
using Mono.Unix.Native;

namespace Harness.Cluster.Chunks.Server;

/// <summary>A mutation that a replica has taken in and that is not committed yet. Owned by its <see cref="ChunkReplica"/>, used again after it.</summary>
internal sealed class PendingWrite
{
    private readonly List<RpcRequest> _waiting = [];
    private readonly List<TaskCompletionSource> _readers = [];
    private readonly Action _forwarded;
    private ChunkReplica _replica = null!;
    private ValueTaskAwaiter<RpcReply> _forwarding;

    public PendingWrite() => _forwarded = OnForwarded;

    /// <summary>The message, as it is forwarded.</summary>
    public ChunkRequest Message;

    public ushort Kind { get; private set; }

    /// <summary>The bytes, one reference of theirs; null of a punch.</summary>
    public PayloadBuffer? Payload { get; private set; }

    /// <summary>The checksums of its blocks, if it is made of whole blocks.</summary>
    public uint[] Sums { get; } = new uint[JournalRecord.BlocksMax];

    public BlockStamp Stamp => new(Message.Stamp);

    /// <summary>Whether this replica has it.</summary>
    public bool IsApplied { get; set; }

    /// <summary>Whether all behind this replica have it.</summary>
    public bool IsBehind { get; set; }

    /// <summary>Whether the tail has told the client.</summary>
    public bool IsTold { get; set; }

    /// <summary>Whether it is the tail that answers, so that this replica carries it out before it sends it on.</summary>
    public bool TailAnswers => (Message.Flags & ChunkWriteFlags.TailAnswers) != 0;

    /// <summary>Whether it may be sent on.</summary>
    public bool IsReady => IsApplied || !TailAnswers;

    /// <summary>Whether an answer of the successor is awaited.</summary>
    public bool IsForwarding { get; private set; }

    public void Begin(ChunkReplica replica, ushort kind, in ChunkRequest message, PayloadBuffer? payload)
    {
        _replica = replica;
        Kind = kind;
        Message = message;
        Payload = payload;
        payload?.AddReference();
        IsApplied = IsBehind = IsTold = false;
    }

    public bool Overlaps(long offset, long length) => (long)Message.Offset < offset + length && offset < (long)Message.Offset + Message.Length;

    /// <summary>How it is, for people.</summary>
    public string Explain() => $"{Stamp} (applied {IsApplied}, behind {IsBehind}, sent {IsForwarding})";

    /// <summary>Brings it into the store, unless it was ended before.</summary>
    public void Apply() => _replica.Apply(this);

    /// <summary>Answers this request too, when it is committed.</summary>
    public void AnswerLater(RpcRequest request) => _waiting.Add(request);

    /// <summary>Ends when it is committed, or will never be here.</summary>
    public Task WaitForEnd()
    {
        var end = new TaskCompletionSource();
        _readers.Add(end);
        return end.Task;
    }

    /// <summary>Sends it on.</summary>
    public void Forward(RpcPeer successor, ulong version, ulong committed, long timeoutNanoseconds)
    {
        IsForwarding = true;
        Message.Version = version;
        Message.Committed = committed;
        Payload?.AddReference();
        Payload payload = Payload is null ? default : new Payload(Payload.Memory, Payload);
#pragma warning disable CA2012 // Consumed once, in OnForwarded. An async method would cost an allocation for each write.
        _forwarding = successor.Call(Kind, Message, payload, default, timeoutNanoseconds).GetAwaiter();
#pragma warning restore CA2012
        if (_forwarding.IsCompleted)
        {
            OnForwarded();
        }
        else
        {
            _forwarding.UnsafeOnCompleted(_forwarded);
        }
    }

    /// <summary>Tells everybody who waits, and lets go of the bytes.</summary>
    public void End(Errno status)
    {
        var reply = new ChunkReply { Stamp = Message.Stamp, IsTold = IsTold ? 1u : 0 };
        foreach (RpcRequest request in _waiting)
        {
            if (status == Errnos.Ok && IsTold && WantsTail(request))
            {
                request.Drop();
            }
            else if (status == Errnos.Ok)
            {
                request.Reply(reply);
            }
            else
            {
                request.Reply(status);
            }
        }

        _waiting.Clear();
        Payload?.Release();
        Payload = null;
        if (_readers.Count > 0)
        {
            TaskCompletionSource[] readers = [.. _readers];
            _readers.Clear();
            foreach (TaskCompletionSource reader in readers)
            {
                reader.SetResult();
            }
        }
    }

    private static bool WantsTail(RpcRequest request) => request.Header.Kind == ChunkKind.Write && request.TryRead(out ChunkRequest message) &&
        (message.Flags & ChunkWriteFlags.TailAnswers) != 0;

    private void OnForwarded()
    {
        RpcReply reply = _forwarding.GetResult();
        _forwarding = default;
        IsForwarding = false;
        _replica.OnForwarded(this, reply);
    }
}
