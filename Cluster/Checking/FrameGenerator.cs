using System.Runtime.InteropServices;
using Google.Protobuf;
using Harness.Cluster.Chunks;
using Harness.Cluster.Metadata.Rpc;
using Harness.Cluster.Net;
using Harness.Cluster.Wire;
using Harness.Simulation.Chance;

namespace Harness.Cluster.Checking;

/// <summary>Makes frames that no node of ours would send: damaged, cut, too long, of unknown kinds, or with bodies and payloads of chance.</summary>
/// <remarks>Frames that are well formed and would be obeyed, such as a write to a chunk that exists, are no malformed frames and are not made.</remarks>
internal sealed class FrameGenerator(SimRandom random)
{
    private const int PayloadBytesMax = 6000;

    /// <summary>Chunks that do not exist.</summary>
    private const ulong NoChunk = 1UL << 40;

    private static readonly ushort[] s_chunkKinds =
    [
        ChunkKind.Write, ChunkKind.Read, ChunkKind.Punch, ChunkKind.Sync, ChunkKind.ForwardWrite, ChunkKind.ForwardPunch, ChunkKind.Query, ChunkKind.Fetch,
        ChunkKind.Stamps, ChunkKind.Mutations, ChunkKind.SetChain, ChunkKind.CatchUp, ChunkKind.Scrub, ChunkKind.Merge,
    ];

    private static readonly ushort[] s_allKinds =
    [
        .. s_chunkKinds, ChunkKind.Create, ChunkKind.Delete, ChunkKind.CreateAll, ChunkKind.DeleteAll, ChunkKind.Leave, ChunkKind.EndSession,
        ChunkKind.Register, ChunkKind.Heartbeat, ChunkKind.ReplicaFailed, MetadataMessages.Request, MetadataMessages.Recall, Hello.Kind,
    ];

    /// <summary>A greeting that is accepted.</summary>
    public static (byte[] Head, byte[] Payload) Greeting()
    {
        Hello hello = Hello.Of(NodeRole.Client, 77, 1);
        return (Head(new FrameHeader { Kind = Hello.Kind, Flags = FrameFlags.OneWay }, MemoryMarshal.AsBytes(new ReadOnlySpan<Hello>(in hello)), []), []);
    }

    /// <summary>The next frame.</summary>
    public (byte[] Head, byte[] Payload) Next() => random.Next(8) switch
    {
        0 => (Bytes(random.Next(200)), []),
        1 => Damaged(),
        2 => Any((ushort)random.Next(ushort.MaxValue + 1), Bytes(random.Next(FrameHeader.BodyBytesMax))),
        3 => Any(s_allKinds[random.Next(s_allKinds.Length)], Bytes(random.Next(32))),
        4 => OnNoChunk(),
        5 => OddMessage(),
        6 => OddLengths(),
        _ => Any(MetadataMessages.Request, Bytes(random.Next(64))),
    };

    private (byte[] Head, byte[] Payload) Damaged()
    {
        (byte[] head, byte[] payload) = random.Chance(0.5) ? Greeting() : OnNoChunk();
        head[random.Next(head.Length)] ^= (byte)(1 << random.Next(8));
        return (random.Chance(0.3) ? head[..random.Next(head.Length)] : head, payload);
    }

    private (byte[] Head, byte[] Payload) Any(ushort kind, byte[] body)
    {
        byte[] payload = Bytes(random.Chance(0.5) ? 0 : random.Next(PayloadBytesMax));
        var header = new FrameHeader
        {
            Kind = kind,
            Flags = (FrameFlags)random.Next(16),
            Id = random.NextBits(),
            Status = (ushort)random.Next(200),
            PayloadCrc = 1,
        };
        return (Head(header, body, payload), payload);
    }

    private (byte[] Head, byte[] Payload) OnNoChunk()
    {
        var request = new ChunkRequest
        {
            Chunk = NoChunk | random.NextBits(),
            Version = Odd(),
            Stamp = Odd(),
            Committed = Odd(),
            Client = Odd(),
            Mutation = Odd(),
            DoneBelow = Odd(),
            Offset = Odd(),
            Length = (uint)Odd(),
            Crc = (uint)Odd(),
            Flags = (ChunkWriteFlags)Odd(),
        };
        return Any(s_chunkKinds[random.Next(s_chunkKinds.Length)], MemoryMarshal.AsBytes(new ReadOnlySpan<ChunkRequest>(in request)).ToArray());
    }

    /// <summary>A metadata request with some of its bytes changed, in the name of a session that nobody has.</summary>
    private (byte[] Head, byte[] Payload) OddMessage()
    {
        var rename = new Rename { Parent = Odd(), Name = ByteString.CopyFrom(Bytes(8)), NewParent = 1, NewName = ByteString.CopyFrom(Bytes(8)) };
        var request = new MetadataRequest { Session = NoChunk | random.NextBits(), Mutate = new Command { Rename = rename } };
        byte[] payload = request.ToByteArray();
        for (int changes = random.Next(4); changes > 0; changes--)
        {
            payload[random.Next(payload.Length)] = (byte)random.Next(256);
        }

        payload = random.Chance(0.3) ? payload[..random.Next(payload.Length)] : payload;
        return (Head(new FrameHeader { Kind = MetadataMessages.Request, Id = random.NextBits() }, [], payload), payload);
    }

    /// <summary>A head whose checksum is right and whose lengths are not.</summary>
    private (byte[] Head, byte[] Payload) OddLengths()
    {
        byte[] head = Head(new FrameHeader { Kind = s_allKinds[random.Next(s_allKinds.Length)], Id = 5 }, Bytes(40), []);
        var header = MemoryMarshal.Read<FrameHeader>(head);
        (header.PayloadBytes, header.BodyBytes) = ((uint)Odd(), random.Chance(0.5) ? header.BodyBytes : (ushort)random.Next(ushort.MaxValue));
        MemoryMarshal.Write(head, in header);
        header.HeadCrc = Crc32C.Compute(head.AsSpan(8));
        MemoryMarshal.Write(head, in header);
        return (head, Bytes(random.Next(64)));
    }

    private ulong Odd() => random.Next(5) switch
    {
        0 => 0,
        1 => ulong.MaxValue,
        2 => 1UL << random.Next(64),
        3 => (ulong)random.Next(10_000),
        _ => random.NextBits(),
    };

    private byte[] Bytes(int count)
    {
        var bytes = new byte[count];
        random.NextBytes(bytes);
        return bytes;
    }

    private static byte[] Head(FrameHeader header, ReadOnlySpan<byte> body, byte[] payload)
    {
        var head = new byte[FrameHeader.HeaderBytes + body.Length];
        FrameCodec.Write(header, body, new Payload(payload), head);
        return head;
    }
}
