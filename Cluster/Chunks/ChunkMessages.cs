using System.Runtime.InteropServices;

namespace Harness.Cluster.Chunks;

/// <summary>Kinds of frames that chunk servers know. All structs are little-endian.</summary>
internal static class ChunkKind
{
    /// <summary>Client to head: <see cref="ChunkRequest"/> and the bytes. Ok once every replica has them.</summary>
    public const ushort Write = 100;

    /// <summary>Client to any replica: <see cref="ChunkRequest"/>. The reply is <see cref="ChunkReply"/> and the bytes.</summary>
    public const ushort Read = 101;

    /// <summary>Client to head: zero bytes, and their space given back. A truncation punches to the chunk's end.</summary>
    public const ushort Punch = 102;

    /// <summary>Client to every replica: what was acknowledged survives a power cut once all have answered.</summary>
    public const ushort Sync = 103;

    /// <summary>
    /// Client to any replica: where the first data, or with a length of 0 the first hole, are from <see cref="ChunkRequest.Offset"/> on, in blocks of
    /// 4 KiB. The reply is <see cref="ChunkReply"/> with the place instead of a stamp; <see cref="ulong.MaxValue"/> if there are none.
    /// </summary>
    public const ushort Seek = 104;

    /// <summary>
    /// Tail to client, one way: it has a write of <see cref="ChunkWriteFlags.TailAnswers"/>, and so have all before it (<see cref="ChunkDone"/>).
    /// </summary>
    public const ushort Done = 105;

    /// <summary>A replica to its successor: a <see cref="Write"/> with its stamp.</summary>
    public const ushort ForwardWrite = 110;

    /// <summary>A replica to its successor: a <see cref="Punch"/> with its stamp.</summary>
    public const ushort ForwardPunch = 111;

    /// <summary>A replica to the tail: what is committed? The reply is <see cref="ChunkReply"/> with the tail's stamp.</summary>
    public const ushort Query = 112;

    /// <summary>
    /// A replica to another: blocks as they are, once it has carried out the mutation whose stamp is in the request.
    /// The payload is the blocks, then a stamp of 8 bytes for each.
    /// </summary>
    public const ushort Fetch = 113;

    /// <summary>A replica to another: stamps of blocks alone, 8 bytes each.</summary>
    public const ushort Stamps = 114;

    /// <summary>A replica to another: which mutations it has carried out, a <see cref="MutationEntry"/> for each.</summary>
    public const ushort Mutations = 115;

    /// <summary>Metadata server to chunk server: make an empty replica, in a version (<see cref="ChunkRequest"/>).</summary>
    public const ushort Create = 120;

    /// <summary>Metadata server to each member: the chunk's chain (<see cref="ChunkRequest"/> with the version; <see cref="Chain"/> as payload).
    /// The reply is <see cref="ChunkReply"/> with the greatest stamp that the member has.</summary>
    public const ushort SetChain = 121;

    /// <summary>Metadata server to chunk server: remove the replica.</summary>
    public const ushort Delete = 122;

    /// <summary>
    /// Metadata server to chunk server: make empty replicas of <see cref="ChunkRequest.Length"/> chunks, at most <see cref="AllMax"/>, and take up
    /// their chain. The payload is their ids, 8 bytes each, then the <see cref="Chain"/>, which all have, in the request's version.
    /// </summary>
    public const ushort CreateAll = 126;

    /// <summary>Metadata server to chunk server: remove the replicas of so many chunks; the payload is their ids.</summary>
    public const ushort DeleteAll = 129;

    /// <summary>Chunks of one request: beside which a server's other work has its turn soon.</summary>
    public const int AllMax = 64;

    /// <summary>
    /// Metadata server to a joining tail, after its chain was set: copy what it lacks from its predecessor. Answered when all is there; then a
    /// chain without the joining mark makes it a full member.
    /// </summary>
    public const ushort CatchUp = 123;

    /// <summary>Metadata server to chunk server: check all blocks of a chunk, and repair them from other members. The reply is
    /// <see cref="ScrubReply"/>.</summary>
    public const ushort Scrub = 124;

    /// <summary>
    /// Metadata server to a replica of a chunk none of whose replicas was in service (all hosts have lost power): take over what another
    /// replica, named in the payload as a chain of one, has newer (<see cref="ChunkRequest"/>, any version).
    /// </summary>
    public const ushort Merge = 125;

    /// <summary>
    /// Metadata server to chunk server: serve a chunk no longer, in whatever version, until its chain is told again (<see cref="ChunkRequest"/>, any
    /// version).
    /// </summary>
    public const ushort Leave = 133;

    /// <summary>
    /// Metadata server to chunk server: a client's session ends (<see cref="ChunkRequest.Client"/>). Its mutations are refused from here on; answered once
    /// none of them is under way.
    /// </summary>
    public const ushort EndSession = 134;

    /// <summary>
    /// Anybody to chunk server: its replicas with ids above <see cref="ChunkRequest.Chunk"/>, in order, at most
    /// <see cref="ChunkRequest.Length"/>. The reply's payload is a <see cref="ReplicaReport"/> for each.
    /// </summary>
    public const ushort List = 127;

    /// <summary>
    /// Anybody to chunk server: a digest of what a replica holds (<see cref="ChunkRequest"/>, any version), the same for replicas with the same
    /// bytes. The reply is <see cref="ChunkReply"/> with the digest and the greatest stamp.
    /// </summary>
    public const ushort Digest = 128;

    /// <summary>Chunk server to metadata server: <see cref="ServerReport"/>, then a <see cref="ReplicaReport"/> for each replica.</summary>
    public const ushort Register = 130;

    /// <summary>Chunk server to metadata server: <see cref="ServerReport"/>. The reply is <see cref="LeaseReply"/>.</summary>
    public const ushort Heartbeat = 131;

    /// <summary>Chunk server to metadata server, one way: a replica is no longer to be used (<see cref="ChunkRequest"/>).</summary>
    public const ushort ReplicaFailed = 132;
}

/// <summary>How a write is to be carried out.</summary>
[Flags]
internal enum ChunkWriteFlags : uint
{
    /// <summary>It survives the servers' processes; a power cut once <see cref="ChunkKind.Sync"/> has answered.</summary>
    None = 0,

    /// <summary>Who writes does not want it cached (O_DIRECT): no server keeps it in its page cache.</summary>
    Uncached = 1,

    /// <summary>
    /// It survives a power cut once it is answered, and with it all that was answered before for the same chunk: each replica syncs before it
    /// acknowledges, all at the same time.
    /// </summary>
    Durable = 2,

    /// <summary>
    /// The client has a connection to the tail, which tells it by that (<see cref="ChunkKind.Done"/>): that is as many changes of processes less as
    /// there are servers before the tail. Each replica carries such a write out before it sends it on, so that all have what the tail has. The
    /// head answers what the tail could not tell.
    /// </summary>
    TailAnswers = 4,
}

/// <summary>What is asked of a replica.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct ChunkRequest
{
    /// <summary>The chunk.</summary>
    public ulong Chunk;

    /// <summary>The version of the chain that the sender believes in; another one is refused with ESTALE.</summary>
    public ulong Version;

    /// <summary>A forwarded write's stamp; 0 from clients.</summary>
    public ulong Stamp;

    /// <summary>With a forwarded write, the sequence up to which the sender has everything committed.</summary>
    public ulong Committed;

    /// <summary>Who wants the mutation: a session, whose numbers are never used again, or whoever has none.</summary>
    public ulong Client;

    /// <summary>The client's node, whose connection the tail tells it by (<see cref="ChunkWriteFlags.TailAnswers"/>).</summary>
    public ulong Node;

    /// <summary>The client's number of the mutation, from 1 on.</summary>
    public ulong Mutation;

    /// <summary>The client will not send a mutation with a lower number again.</summary>
    public ulong DoneBelow;

    /// <summary>Where in the chunk.</summary>
    public ulong Offset;

    /// <summary>How many bytes.</summary>
    public uint Length;

    /// <summary>CRC32C of the payload, made by the client and checked by every replica.</summary>
    public uint Crc;

    /// <summary>Of a write.</summary>
    public ChunkWriteFlags Flags;

    /// <summary>0.</summary>
    public uint Reserved;
}

/// <summary>What a replica answers.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct ChunkReply
{
    /// <summary>The stamp asked for.</summary>
    public ulong Stamp;

    /// <summary>CRC32C of the payload.</summary>
    public uint Crc;

    /// <summary>Of a forwarded write: 1 if the client has been told of it by the tail.</summary>
    public uint IsTold;
}

/// <summary>What the tail tells a client.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct ChunkDone
{
    /// <summary>The chunk.</summary>
    public ulong Chunk;

    /// <summary>The client's number of the mutation.</summary>
    public ulong Mutation;
}

/// <summary>A mutation that a replica has carried out.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct MutationEntry
{
    /// <summary>Who wanted it.</summary>
    public ulong Client;

    /// <summary>The client's number of it.</summary>
    public ulong Mutation;

    /// <summary>The sequence that it got.</summary>
    public ulong Sequence;
}

/// <summary>What a scrub has found.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct ScrubReply
{
    /// <summary>Blocks that were read.</summary>
    public uint Blocks;

    /// <summary>Blocks that did not match their sums.</summary>
    public uint Damaged;

    /// <summary>Of these, those that another replica's copy has replaced.</summary>
    public uint Repaired;

    /// <summary>0.</summary>
    public uint Reserved;
}

/// <summary>How a chunk server is.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct ServerReport
{
    /// <summary>Its id.</summary>
    public ulong Server;

    /// <summary>Which of its lives it is in.</summary>
    public ulong Incarnation;

    /// <summary>Size of its disk.</summary>
    public ulong TotalBytes;

    /// <summary>What is free.</summary>
    public ulong FreeBytes;

    /// <summary>How many replicas it has.</summary>
    public uint Replicas;

    /// <summary>Requests under way.</summary>
    public uint RequestsInFlight;

    /// <summary>Port at which it listens; the host is the connection's, unless the server's options name another.</summary>
    public uint Port;

    /// <summary>1 if its journal was damaged in the midst, so that its replicas may lack acknowledged writes.</summary>
    public uint JournalDamaged;

    /// <summary>Which directory it serves: drawn with the directory, the same again after a restart. 0 if not known.</summary>
    public ulong Identity;
}

/// <summary>One replica of a registering server.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct ReplicaReport
{
    /// <summary>The chunk.</summary>
    public ulong Chunk;

    /// <summary>The version that it was in last, in this life of the server and with nothing amiss; otherwise 0.</summary>
    public ulong Version;

    /// <summary>The greatest sequence that it has.</summary>
    public ulong Sequence;
}

/// <summary>What the metadata server grants.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct LeaseReply
{
    /// <summary>The server may serve for so long after it sent the request that this answers.</summary>
    public ulong LeaseNanoseconds;
}
