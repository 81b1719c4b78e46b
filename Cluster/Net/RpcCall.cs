using System.Threading.Tasks.Sources;

namespace Harness.Cluster.Net;

/// <summary>One call's place in its <see cref="RpcPeer"/>, used again after its result was taken.</summary>
internal sealed class RpcCall(RpcPeer peer, int slot) : IValueTaskSource<RpcReply>
{
    private ManualResetValueTaskSourceCore<RpcReply> _source;

    /// <summary>Its index among the peer's calls.</summary>
    public int Slot { get; } = slot;

    /// <summary>Which use of the slot this is.</summary>
    public ulong Generation { get; set; }

    /// <summary>Whether somebody waits for a reply.</summary>
    public bool IsPending { get; private set; }

    public long DeadlineNanoseconds { get; private set; }

    /// <summary>The number of its frame on the connection.</summary>
    public long Frame { get; set; }

    /// <summary>Where the caller wants the payload.</summary>
    public Memory<byte> Into { get; private set; }

    /// <summary>What has arrived of the reply.</summary>
    public RpcReply Reply;

    public ValueTask<RpcReply> Begin(long deadlineNanoseconds, Memory<byte> into)
    {
        _source.Reset();
        Reply = default;
        IsPending = true;
        DeadlineNanoseconds = deadlineNanoseconds;
        Into = into;
        return new ValueTask<RpcReply>(this, _source.Version);
    }

    /// <summary>Ends the call; its caller goes on before this returns.</summary>
    public void Complete()
    {
        IsPending = false;
        Into = default;
        _source.SetResult(Reply);
    }

    RpcReply IValueTaskSource<RpcReply>.GetResult(short token)
    {
        RpcReply result = _source.GetResult(token);
        peer.Recycle(this);
        return result;
    }

    ValueTaskSourceStatus IValueTaskSource<RpcReply>.GetStatus(short token) => _source.GetStatus(token);

    // Calls end on their own loop, so that their callers can go on at once: to go through the loop's context would cost 64 bytes each.
    void IValueTaskSource<RpcReply>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _source.OnCompleted(continuation, state, token, ValueTaskSourceOnCompletedFlags.None);
}
