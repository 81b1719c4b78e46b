using System.Runtime.CompilerServices;
using Harness.Cluster.Net;
using Harness.FuseProtocol;
using Harness.Runtime;
using Mono.Unix.Native;

namespace Harness.Cluster.Chunks.Client;

/// <summary>Reads and writes ranges of chunks, for one loop.</summary>
/// <remarks>
/// Whatever fails is tried again with another replica or, of mutations, with the head, after the chain was refreshed, until the operation's
/// time is up. Each piece of a mutation keeps its number through all attempts, so that it is carried out once. Memory that is read into or
/// written from must stay until the task has ended. Bytes travel between it and the socket without another copy.
/// </remarks>
/// <param name="loop">The loop.</param>
/// <param name="network">Its network.</param>
/// <param name="chains">Brings chains up to date.</param>
/// <param name="hello">Who the client is; its node id names its mutations, and no other client, before or after, has the same.</param>
/// <param name="pool">For what the peers receive.</param>
/// <param name="options">By default the defaults.</param>
internal sealed partial class ChunkClient(
    ILoop loop, INetwork network, IChainSource chains, Hello hello, PayloadPool pool, ChunkClientOptions? options = null)
{
    private readonly ChunkClientOptions _options = options ?? new ChunkClientOptions();
    private readonly Dictionary<NodeAddress, PeerLink> _links = [];
    private readonly SortedSet<ulong> _mutationsUnderWay = [];
    private ulong _lastMutation;

    /// <summary>Attempts that had to be followed by another.</summary>
    public long Retries { get; private set; }

    /// <summary>Reads bytes of a chunk; what was never written is zero.</summary>
    /// <returns>EIO if no replica has them whole; ESTALE if the chunk is gone; ETIMEDOUT.</returns>
    public ValueTask<Errno> Read(ChunkHandle chunk, long offset, Memory<byte> into) => into.Length <= _options.PieceBytes
        ? ReadPiece(chunk, offset, into)
        : ReadPieces(chunk, offset, into);

    /// <summary>Writes bytes of a chunk; returns once all replicas have them.</summary>
    /// <returns>ENOSPC or EIO; ESTALE if the chunk is gone; ETIMEDOUT, and then nobody knows whether they were written.</returns>
    public ValueTask<Errno> Write(ChunkHandle chunk, long offset, ReadOnlyMemory<byte> data, ChunkWriteFlags flags = ChunkWriteFlags.None) =>
        data.Length <= _options.PieceBytes ? Mutate(chunk, ChunkKind.Write, offset, data.Length, data, flags) : WritePieces(chunk, offset, data, flags);

    /// <summary>Makes bytes of a chunk zero and gives their space back.</summary>
    public ValueTask<Errno> Punch(ChunkHandle chunk, long offset, int length) => Mutate(chunk, ChunkKind.Punch, offset, length, default, default);

    /// <summary>Makes what was written to a chunk survive a power cut of all its replicas.</summary>
    public async ValueTask<Errno> Sync(ChunkHandle chunk)
    {
        var attempts = new Attempts(this);
        while (true)
        {
            Chain chain = chunk.Chain;
            // All at once: each has its own disk.
            Task<Errno>[] members = [.. chain.Members.Select(member => SyncMember(chunk, chain, member))];
            Errno error = Errnos.Ok;
            foreach (Task<Errno> member in members)
            {
                Errno result = await member;
                error = error == Errnos.Ok ? result : error;
            }

            if (error == Errnos.Ok || !IsWorthAnother(error))
            {
                return error;
            }

            error = await attempts.Next(chunk);
            if (error != Errnos.Ok)
            {
                return error;
            }
        }
    }

    /// <summary>Finds data, or a hole, from a place on.</summary>
    /// <returns>Where; <see cref="long.MaxValue"/> if there are none. Otherwise as <see cref="Read"/>.</returns>
    public async ValueTask<Result<long>> Seek(ChunkHandle chunk, long offset, bool data)
    {
        var attempts = new Attempts(this);
        for (ulong turn = chunk.Id.Value; ; turn++)
        {
            Chain chain = chunk.Chain;
            NodeAddress address = chain.Members[(int)(turn % (ulong)chain.Readers)].Address;
            RpcReply reply = await Ask(address, ChunkKind.Seek, Message(chunk, chain, offset, data ? 1 : 0), default, default);
            if (reply.IsOk)
            {
                return (long)Math.Min(reply.Read<ChunkReply>().Stamp, long.MaxValue);
            }

            Errno error = IsWorthAnother(reply.Status) ? await attempts.Next(chunk) : reply.Status;
            if (error != Errnos.Ok)
            {
                return error;
            }
        }
    }

    /// <summary>Ends all connections.</summary>
    public void Close()
    {
        foreach (PeerLink link in _links.Values)
        {
            link.Close();
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<Errno> ReadPiece(ChunkHandle chunk, long offset, Memory<byte> into)
    {
        var attempts = new Attempts(this);
        for (int turn = _options.ReadTurn; ; turn++)
        {
            Chain chain = chunk.Chain;
            NodeAddress address = chain.Members[(chain.ReaderOf(chunk.Id, offset) + turn) % chain.Readers].Address;
            ChunkRequest message = Message(chunk, chain, offset, into.Length);
            ExpectSoon(into.Length);
            RpcReply reply = await Ask(address, ChunkKind.Read, message, default, into);
            Errno error = reply.Status;
            if (error == Errnos.Ok && (reply.PayloadBytes != into.Length || Crc32C.Compute(into.Span) != reply.Read<ChunkReply>().Crc))
            {
                error = Errno.EBADMSG;
            }

            if (error == Errnos.Ok || !(IsWorthAnother(error) || error is Errno.EUCLEAN or Errno.EIO))
            {
                return error;
            }

            error = await attempts.Next(chunk);
            if (error != Errnos.Ok)
            {
                return error;
            }
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<Errno> Mutate(
        ChunkHandle chunk, ushort kind, long offset, int length, ReadOnlyMemory<byte> data, ChunkWriteFlags flags)
    {
        ulong number = ++_lastMutation;
        _mutationsUnderWay.Add(number);
        uint crc = data.IsEmpty ? 0 : Crc32C.Compute(data.Span);
        var attempts = new Attempts(this);
        Errno error;
        while (true)
        {
            Chain chain = chunk.Chain;
            ChunkRequest message = Message(chunk, chain, offset, length);
            message.Mutation = number;
            message.DoneBelow = _mutationsUnderWay.Min;
            message.Crc = crc;
            message.Flags = flags;
            // What is tried again the head answers, which knows whether it was done before.
            RpcReply reply = !attempts.Any && TailOf(kind, chain, message) is { } tail
                ? await AskThrough(tail, chain, message, data)
                : await Ask(chain.Head.Address, kind, message, new Payload(data), default);
            error = reply.Status;
            if (error == Errnos.Ok || !IsWorthAnother(error))
            {
                break;
            }

            error = await attempts.Next(chunk);
            if (error != Errnos.Ok)
            {
                break;
            }
        }

        _mutationsUnderWay.Remove(number);
        // What was done by an earlier attempt is answered at once by the next; a member that came meanwhile has it by copy.
        return error == Errnos.Ok && attempts.Any && (flags & ChunkWriteFlags.Durable) != 0 ? await Sync(chunk) : error;
    }

    private async ValueTask<Errno> ReadPieces(ChunkHandle chunk, long offset, Memory<byte> into)
    {
        var pieces = new List<Task<Errno>>();
        for (int done = 0; done < into.Length; done += _options.PieceBytes)
        {
            Memory<byte> piece = into[done..Math.Min(into.Length, done + _options.PieceBytes)];
            pieces.Add(ReadPiece(chunk, offset + done, piece).AsTask());
        }

        return await All(pieces);
    }

    private async ValueTask<Errno> WritePieces(ChunkHandle chunk, long offset, ReadOnlyMemory<byte> data, ChunkWriteFlags flags)
    {
        var pieces = new List<Task<Errno>>();
        for (int done = 0; done < data.Length; done += _options.PieceBytes)
        {
            ReadOnlyMemory<byte> piece = data[done..Math.Min(data.Length, done + _options.PieceBytes)];
            pieces.Add(Mutate(chunk, ChunkKind.Write, offset + done, piece.Length, piece, flags).AsTask());
        }

        return await All(pieces);
    }

    private static async ValueTask<Errno> All(List<Task<Errno>> pieces)
    {
        Errno error = Errnos.Ok;
        foreach (Task<Errno> piece in pieces)
        {
            Errno result = await piece;
            error = error == Errnos.Ok ? result : error;
        }

        return error;
    }

    private async Task<Errno> SyncMember(ChunkHandle chunk, Chain chain, ChainMember member)
    {
        RpcReply reply = await Ask(member.Address, ChunkKind.Sync, Message(chunk, chain, 0, 0), default, default);
        return reply.Status;
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<RpcReply> Ask(NodeAddress address, ushort kind, ChunkRequest message, Payload payload, Memory<byte> into)
    {
        PeerLink link = LinkTo(address);
        RpcPeer? peer = link.Peer ?? await link.Get();
        return peer is null
            ? new RpcReply { Status = Errno.ENOTCONN }
            : await peer.Call(kind, message, payload, into, _options.AttemptNanoseconds);
    }

    private PeerLink LinkTo(NodeAddress address)
    {
        if (!_links.TryGetValue(address, out PeerLink? link))
        {
            _links[address] = link = new PeerLink(loop, network, address, hello, this, pool);
        }

        return link;
    }

    private ChunkRequest Message(ChunkHandle chunk, Chain chain, long offset, int length) => new()
    {
        Chunk = chunk.Id.Value,
        Version = chain.Version,
        Client = chunk.Session != 0 ? chunk.Session : hello.NodeId,
        Offset = (ulong)offset,
        Length = (uint)length,
    };

    /// <summary>Whether an attempt failed by where it went or when, not by what was asked.</summary>
    private static bool IsWorthAnother(Errno error) => error is Errno.ESTALE or Errno.EAGAIN or Errno.ENOTCONN or Errno.ETIMEDOUT or Errno.ENOENT
        or Errno.EBADMSG or Errno.EIO or Errno.ENOBUFS;

    /// <summary>The attempts of one operation.</summary>
    private struct Attempts(ChunkClient client)
    {
        private const int PauseFactorMax = 100;

        private long _until;
        private long _pause;

        /// <summary>Whether there was more than one.</summary>
        public readonly bool Any => _until != 0;

        /// <summary>Waits a little longer each time and refreshes the chain.</summary>
        /// <returns>ETIMEDOUT if the operation's time is up; ESTALE if the chunk is gone.</returns>
        public ValueTask<Errno> Next(ChunkHandle chunk)
        {
            client.Retries++;
            long now = client.Loop.NowNanoseconds;
            _until = _until == 0 ? now + client._options.OperationNanoseconds : _until;
            _pause = _pause == 0 ? client._options.PauseNanoseconds : Math.Min(2 * _pause, PauseFactorMax * client._options.PauseNanoseconds);
            return now >= _until ? new ValueTask<Errno>(Errno.ETIMEDOUT) : client.Again(chunk, _pause);
        }
    }

    private ILoop Loop => loop;

    private async ValueTask<Errno> Again(ChunkHandle chunk, long pauseNanoseconds)
    {
        await LoopYield.Delay(loop, pauseNanoseconds);
        return await chains.Refresh(chunk) ? Errnos.Ok : Errno.ESTALE;
    }
}
