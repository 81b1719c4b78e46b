using Harness.Cluster.Net;

namespace Harness.Cluster.Chunks.Server;

/// <content>Sending on to the successor.</content>
internal sealed partial class ChunkReplica
{
    private const long ForwardTimeoutNanoseconds = 2_000_000_000;
    private const long ResendNanoseconds = 20_000_000;

    private static readonly Action<object?> s_resend = static state => ((ChunkReplica)state!).Resend();

    private PeerLink? Successor => Chain is not null && Position + 1 < Chain.Members.Count ? context.LinkTo(Chain.Members[Position + 1].Address) : null;

    private void Forward(PendingWrite write)
    {
        if (Successor is not { } successor || write.IsBehind || write.IsForwarding)
        {
            return;
        }

        if (successor.Peer is { } peer && !_resendPosted)
        {
            write.Forward(peer, Chain!.Version, Committed, ForwardTimeoutNanoseconds);
        }
        else
        {
            // In order: what comes after one that could not be sent waits for it.
            ConnectAndForward(successor);
        }
    }

    /// <summary>Sends one on, and those behind it that were held up by it; in order, so that it waits for those before it.</summary>
    private void ForwardFrom(int index)
    {
        bool isNext = index == 0 || _pending[index - 1] is { IsForwarding: true } or { IsBehind: true };
        for (; isNext && index < _pending.Count && _pending[index].IsReady; index++)
        {
            Forward(_pending[index]);
        }
    }

    private void ForwardAll()
    {
        foreach (PendingWrite write in _pending.TakeWhile(static write => write.IsReady).ToArray())
        {
            Forward(write);
        }
    }

    private async void ConnectAndForward(PeerLink successor)
    {
        if (await successor.Get() is null)
        {
            ResendLater();
        }
        else if (!_resendPosted)
        {
            ForwardAll();
        }
    }

    private void ResendLater()
    {
        if (!_resendPosted)
        {
            _resendPosted = true;
            context.Loop.PostAt(context.Loop.NowNanoseconds + ResendNanoseconds, s_resend, this);
        }
    }

    private void Resend()
    {
        _resendPosted = false;
        ForwardAll();
    }
}
