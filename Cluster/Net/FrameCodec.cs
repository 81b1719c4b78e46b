using System.Runtime.InteropServices;
using Harness.Cluster.Chunks;

namespace Harness.Cluster.Net;

/// <summary>Puts frames' heads together and takes them apart.</summary>
internal static class FrameCodec
{
    private const int CheckedFrom = 8;

    /// <summary>Writes header and body; returns how many bytes they take.</summary>
    public static int Write(FrameHeader header, ReadOnlySpan<byte> body, in Payload payload, Span<byte> destination)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(body.Length, FrameHeader.BodyBytesMax);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(payload.Bytes.Length, FrameHeader.PayloadBytesMax);
        header.Magic = FrameHeader.MagicValue;
        header.BodyBytes = (ushort)body.Length;
        header.PayloadBytes = (uint)payload.Bytes.Length;
        if (payload.Crc is uint crc)
        {
            header.Flags |= FrameFlags.PayloadChecked;
            header.PayloadCrc = crc;
        }

        MemoryMarshal.Write(destination, in header);
        body.CopyTo(destination[FrameHeader.HeaderBytes..]);
        int length = FrameHeader.HeaderBytes + body.Length;
        header.HeadCrc = Crc32C.Compute(destination[CheckedFrom..length]);
        MemoryMarshal.Write(destination, in header);
        return length;
    }

    /// <summary>Reads a head from the front of what has arrived.</summary>
    /// <param name="bytes">What has arrived.</param>
    /// <param name="header">The header, if it was taken.</param>
    /// <param name="taken">Bytes of header and body; 0 if more must arrive first.</param>
    /// <returns>Null, or what is wrong with it.</returns>
    public static string? TryRead(ReadOnlySpan<byte> bytes, out FrameHeader header, out int taken)
    {
        taken = 0;
        if (!MemoryMarshal.TryRead(bytes, out header))
        {
            return null;
        }

        if (header.Magic != FrameHeader.MagicValue)
        {
            return $"a frame begins with {header.Magic:X8}, not with {FrameHeader.MagicValue:X8}: the peer is no node of ours";
        }

        if (header.BodyBytes > FrameHeader.BodyBytesMax || header.PayloadBytes > FrameHeader.PayloadBytesMax)
        {
            return $"a frame of {header.BodyBytes} + {header.PayloadBytes} bytes is beyond {FrameHeader.BodyBytesMax} + {FrameHeader.PayloadBytesMax}";
        }

        int length = FrameHeader.HeaderBytes + header.BodyBytes;
        if (bytes.Length < length)
        {
            return null;
        }

        if (Crc32C.Compute(bytes[CheckedFrom..length]) != header.HeadCrc)
        {
            return $"the head of a frame of kind {header.Kind} does not match its checksum";
        }

        taken = length;
        return null;
    }
}
