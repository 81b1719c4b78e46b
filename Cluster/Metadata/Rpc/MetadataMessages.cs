using Google.Protobuf;
using Harness.Cluster.Net;

namespace Harness.Cluster.Metadata.Rpc;

/// <summary>How metadata messages travel in frames: the frame's kind says which, its payload is the message.</summary>
internal static class MetadataMessages
{
    /// <summary>A client's <see cref="Wire.MetadataRequest"/>; the reply's payload is a <see cref="Wire.MetadataReply"/>.</summary>
    public const ushort Request = 0x200;

    /// <summary>A server's <see cref="Wire.Recall"/>; the reply's payload is a <see cref="Wire.RecallReply"/>.</summary>
    public const ushort Recall = 0x201;

    /// <summary>The largest message that is sent, in bytes.</summary>
    public const int BytesMax = 2 << 20;

    /// <summary>Writes a message into a pooled buffer.</summary>
    /// <returns>False if the pool is empty: answer EAGAIN.</returns>
    public static bool TryWrite(IMessage message, PayloadPool pool, out Payload payload)
    {
        payload = default;
        int size = message.CalculateSize();
        if (size == 0)
        {
            return true;
        }

        PayloadBuffer? buffer = size <= BytesMax ? pool.TryRent(size) : null;
        if (buffer is null)
        {
            return false;
        }

        message.WriteTo(buffer.Memory.Span);
        payload = new Payload(buffer.Memory, buffer);
        return true;
    }

    /// <summary>Reads a message that a peer has sent.</summary>
    /// <returns>Null if it is malformed.</returns>
    public static T? TryRead<T>(MessageParser<T> parser, ReadOnlySpan<byte> bytes)
        where T : class, IMessage<T>
    {
        try
        {
            return parser.ParseFrom(bytes);
        }
        catch (InvalidProtocolBufferException)
        {
            return null;
        }
    }
}
