using Harness.Cluster.Net;
using Harness.FuseProtocol;
using Mono.Unix.Native;

namespace Harness.Cluster.Chunks.Server;

/// <summary>
/// One replica's part in its chunk's chain (van Renesse and Schneider, "Chain replication for supporting high throughput and availability",
/// OSDI 2004; reads from any replica after Terrace and Freedman, "Object storage on CRAQ", USENIX ATC 2009).
/// </summary>
/// <remarks>
/// The head gives each mutation the next sequence. Everybody takes mutations in that order only, forwards them at once, applies them
/// meanwhile, and answers its predecessor when it has applied one and its successor has answered; so whatever is answered is on all replicas
/// behind, and each replica's predecessors have at least what it has. A small write is applied first and forwarded then, and the tail, which
/// is the last to have it, tells the client itself.
/// </remarks>
internal sealed partial class ChunkReplica(ChunkId id, ReplicaContext context)
{
    private static readonly Action<object?> s_apply = static state => ((PendingWrite)state!).Apply();

    private readonly List<PendingWrite> _pending = [];
    private readonly Stack<PendingWrite> _free = context.FreeWrites;
    private bool _sequenceKnown = true;
    private bool _resendPosted;

    public ChunkId Id => id;

    /// <summary>The chain that this replica is part of; null while it is part of none.</summary>
    public Chain? Chain { get; private set; }

    /// <summary>This replica's place in it.</summary>
    public int Position { get; private set; } = -1;

    /// <summary>The last sequence taken in.</summary>
    public ulong Sequence { get; private set; }

    /// <summary>The last sequence committed, as far as this replica knows.</summary>
    public ulong Committed { get; private set; }

    /// <summary>The greatest stamp taken in.</summary>
    public BlockStamp LastStamp { get; private set; }

    /// <summary>The last version in which it was a member, in this life of its server; 0 if there was none.</summary>
    public ulong ServedVersion { get; private set; }

    /// <summary>Whether its disk has failed it.</summary>
    public bool HasFailed { get; private set; }

    /// <summary>Whether it is catching up.</summary>
    public bool IsJoining => Chain is { TailJoins: true } && Position == Chain.Members.Count - 1;

    public bool IsHead => Position == 0;

    public bool IsTail => Chain is not null && Position == Chain.Members.Count - 1;

    /// <summary>
    /// Whether it has given up mutations that its successors may not have, so that it can no longer send them on: it must join anew, or be
    /// alone.
    /// </summary>
    public bool NeedsCatchUp { get; private set; }

    /// <summary>Mutations that were taken in, so that one that is sent again is not carried out again.</summary>
    public MutationWindow Window { get; } = new();

    /// <summary>Blocks that mutations have written whole since it began to join: they are newer than what is copied.</summary>
    public HashSet<int> TakenWhileJoining { get; } = [];

    /// <summary>While it is joining, mutations are carried out one after the other.</summary>
    public LoopGate ApplyGate { get; } = new();

    /// <summary>Mutations taken in and not committed.</summary>
    public int PendingCount => _pending.Count;

    /// <summary>What its store has, before it is part of a chain.</summary>
    public void Restore(BlockStamp last)
    {
        LastStamp = last;
        Sequence = Committed = last.Sequence;
    }

    /// <summary>Takes part in a new chain, or in none if this server is not among its members.</summary>
    public void SetChain(Chain chain)
    {
        bool known = Chain is not null && (chain.Version < Chain.Version || (chain.Version == Chain.Version && chain.TailJoins == Chain.TailJoins));
        if (known)
        {
            return;
        }

        Position = chain.PositionOf(context.ServerId);
        Chain = Position < 0 ? null : chain;
        if (Chain is null)
        {
            EndAll(Errno.ESTALE);
            return;
        }

        ServedVersion = chain.Version;
        // Whatever its disk has failed it with, what it lacks is copied now; what cannot be written fails it again.
        HasFailed &= !IsJoining;
        NeedsCatchUp &= !IsJoining && Chain.Members.Count > 1;
        TakenWhileJoining.Clear();
        if (IsJoining)
        {
            // What comes from the predecessor begins with the first that it has not committed; all before is copied from it.
            // What was done here and not there is undone with that.
            EndAll(Errno.ESTALE);
            Window.Clear();
            _sequenceKnown = false;
        }

        foreach (PendingWrite write in _pending)
        {
            write.IsBehind = IsTail;
        }

        if (_pending.Count == 0)
        {
            // Whatever was taken in is committed, or was given up and never comes again.
            Committed = Sequence;
        }

        Commit();
        ForwardAll();
    }

    /// <summary>Leaves its chain, until it is told of one again: the server's lease is gone, and with it the right to answer.</summary>
    public void LeaveChain()
    {
        Chain = null;
        Position = -1;
        NeedsCatchUp |= _pending.Count > 0;
        EndAll(Errno.ESTALE);
    }

    /// <summary>How it is, for people.</summary>
    public string Explain() =>
        $"version {Chain?.Version ?? 0}, place {Position}, last {LastStamp}, committed {Committed}, {_pending.Count} under way" +
        (_pending.Count > 0 ? $" from {_pending[0].Explain()}" : string.Empty) +
        $"{(IsJoining ? _sequenceKnown ? ", joining" : ", joining without a sequence" : string.Empty)}{(NeedsCatchUp ? ", needs to catch up" : string.Empty)}" +
        $"{(HasFailed ? ", failed" : string.Empty)}";

    /// <summary>The error with which a request of this version is refused, or Ok.</summary>
    public Errno Refusal(ulong version)
    {
        if (HasFailed)
        {
            return Errno.EIO;
        }

        bool rightVersion = context.Faults.SkipsVersionCheck || (Chain is not null && Chain.Version == version);
        return Chain is null || !rightVersion ? Errno.ESTALE : Errnos.Ok;
    }

    /// <summary>The head takes in a client's mutation.</summary>
    public void TakeFromClient(RpcRequest request, in ChunkRequest message, ReadOnlySpan<uint> sums)
    {
        var mutation = new MutationId(message.Client, message.Mutation);
        Window.ForgetBelow(message.Client, message.DoneBelow);
        if (!context.Faults.RepeatsMutations && Window.TryFind(mutation, out ulong before))
        {
            AnswerAgain(request, before);
            return;
        }

        if (!context.Faults.RepeatsMutations && Window.IsPast(mutation))
        {
            // Nobody waits for it, and others may have gone over it since.
            request.Reply(Errno.ESTALE);
            return;
        }

        ChunkRequest stamped = message;
        stamped.Stamp = new BlockStamp(Chain!.Version, Sequence + 1).Value;
        Take(request, request.Header.Kind == ChunkKind.Write ? ChunkKind.ForwardWrite : ChunkKind.ForwardPunch, stamped, sums);
    }

    /// <summary>A replica takes in what its predecessor forwards.</summary>
    public void TakeFromPredecessor(RpcRequest request, in ChunkRequest message, ReadOnlySpan<uint> sums)
    {
        ulong sequence = new BlockStamp(message.Stamp).Sequence;
        if (!_sequenceKnown && sequence == message.Committed + 1)
        {
            _sequenceKnown = true;
            Sequence = Committed = message.Committed;
        }

        if (!_sequenceKnown || sequence > Sequence + 1)
        {
            // One before it is still missing; the predecessor sends both again.
            request.Reply(Errno.EAGAIN);
        }
        else if (sequence <= Sequence)
        {
            AnswerAgain(request, sequence);
        }
        else
        {
            Window.ForgetBelow(message.Client, message.DoneBelow);
            Take(request, request.Header.Kind, message, sums);
        }
    }

    /// <summary>Whether a mutation has been carried out here; 0 stands for none.</summary>
    public bool HasApplied(BlockStamp stamp) =>
        stamp.Value == 0 || (LastStamp.Value >= stamp.Value && _pending.TrueForAll(write => write.Stamp.Value > stamp.Value || write.IsApplied));

    /// <summary>Whether a mutation of a client is under way here.</summary>
    public bool HasPendingOf(ulong client) => _pending.Exists(write => write.Message.Client == client);

    /// <summary>Whether a mutation is still under way here.</summary>
    public bool IsPending(PendingWrite write) => _pending.Contains(write);

    /// <summary>The mutations that are committed, as far as they are remembered.</summary>
    public MutationEntry[] CommittedMutations() => [.. Window.Entries.Where(entry => !_pending.Exists(write => write.Stamp.Sequence == entry.Sequence))];

    /// <summary>The last mutation under way that touches these bytes, or null: then they are committed.</summary>
    public PendingWrite? LastUncommitted(long offset, long length)
    {
        for (int i = _pending.Count - 1; i >= 0; i--)
        {
            if (_pending[i].Overlaps(offset, length))
            {
                return _pending[i];
            }
        }

        return null;
    }

    /// <summary>The successor has answered, or not.</summary>
    public void OnForwarded(PendingWrite write, in RpcReply reply)
    {
        if (reply.IsOk)
        {
            write.IsBehind = true;
            write.IsTold = reply.Read<ChunkReply>().IsTold != 0;
            Commit();
        }
        else if (!_pending.Contains(write))
        {
            Recycle(write);
        }
        else if (!IsTail)
        {
            ResendLater();
        }
    }

    /// <summary>Its disk has failed it: nobody may count on it before it has been copied anew.</summary>
    public void Fail(Errno error)
    {
        HasFailed = true;
        context.OnFailed(this, error);
        EndAll(Errno.EIO);
    }

    private void Take(RpcRequest request, ushort kind, in ChunkRequest message, ReadOnlySpan<uint> sums)
    {
        if (!_free.TryPop(out PendingWrite? write))
        {
            write = new PendingWrite();
        }

        write.Begin(this, kind, message, request.Payload);
        sums.CopyTo(write.Sums);
        LastStamp = write.Stamp;
        Sequence = LastStamp.Sequence;
        Window.Add(new MutationId(message.Client, message.Mutation), Sequence);
        _pending.Add(write);
        write.IsBehind = IsTail;
        if (context.Faults.AcknowledgesEarly)
        {
            request.Reply(new ChunkReply { Stamp = message.Stamp });
        }
        else
        {
            write.AnswerLater(request);
        }

        ForwardFrom(_pending.Count - 1);
        // Behind what the loop sends now: the successors work while this replica does. All go this way, so that they are applied in their order.
        context.Loop.Post(s_apply, write);
    }

    private void AnswerAgain(RpcRequest request, ulong sequence)
    {
        foreach (PendingWrite write in _pending)
        {
            if (write.Stamp.Sequence == sequence)
            {
                write.AnswerLater(request);
                return;
            }
        }

        request.Reply(new ChunkReply { Stamp = LastStamp.Value });
    }

    // Completes at once where the page cache does; what it might throw ends the process.
    internal async void Apply(PendingWrite write)
    {
        if (!_pending.Contains(write))
        {
            // It was given up before its turn came.
            return;
        }

        Errno error = await context.Apply(this, write);
        if (error == Errnos.Ok)
        {
            write.IsApplied = true;
            int index = write.TailAnswers ? _pending.IndexOf(write) : -1;
            if (index >= 0)
            {
                ForwardFrom(index);
            }

            Commit();
            return;
        }

        if (!_pending.Contains(write))
        {
            // It was given up meanwhile, with its chain.
            return;
        }

        Fail(error);
    }

    private void Commit()
    {
        // A head whose lease is gone cannot know whether its chain still is the chain.
        while (_pending.Count > 0 && _pending[0] is { IsApplied: true, IsBehind: true } first && (!IsHead || context.HasLease))
        {
            _pending.RemoveAt(0);
            Committed = first.Stamp.Sequence;
            first.IsTold |= TellsClient(first) && context.TellClient(first);
            first.End(Errnos.Ok);
            Recycle(first);
        }
    }

    /// <summary>
    /// Whether this replica is to tell the client: nobody is behind it, in the very chain that the write was made for, and by its lease it still
    /// is part of it.
    /// </summary>
    private bool TellsClient(PendingWrite write) =>
        write.TailAnswers && IsTail && !IsHead && Chain!.Version == write.Stamp.Version && context.HasLease;

    private void EndAll(Errno status)
    {
        PendingWrite[] all = [.. _pending];
        _pending.Clear();
        foreach (PendingWrite write in all)
        {
            write.End(status);
            Recycle(write);
        }
    }

    private void Recycle(PendingWrite write)
    {
        // While its own call to the successor is under way it cannot be used again; one not applied yet is left to the collector.
        if (!write.IsForwarding && write.IsApplied)
        {
            write.IsApplied = false;
            _free.Push(write);
        }
    }
}
