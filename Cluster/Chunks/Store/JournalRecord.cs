using System.Runtime.InteropServices;

namespace Harness.Cluster.Chunks.Store;

/// <summary>What a journal record tells.</summary>
internal enum RecordType : uint
{
    /// <summary>Blocks and their data.</summary>
    Data = 1,

    /// <summary>Blocks whose data went straight to the chunk file: their checksums alone.</summary>
    Straight = 2,

    /// <summary>Blocks that are zero from now on.</summary>
    Punch = 3,

    /// <summary>A chunk exists, in the stamp's version.</summary>
    Version = 4,

    /// <summary>A chunk is gone.</summary>
    Delete = 5,

    /// <summary>Mutations that were carried out before this segment began, a <see cref="JournalledMutation"/> for each.</summary>
    Mutations = 6,
}

/// <summary>The head of a journal record, little-endian; the blocks' checksums follow, then their data.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct JournalRecord
{
    /// <summary>"HCJ1".</summary>
    public const uint MagicValue = 0x314A4348;

    /// <summary>Size of this head.</summary>
    public const int HeaderBytes = 80;

    /// <summary>The most blocks in one record: those of a payload of 1 MiB.</summary>
    public const int BlocksMax = 256;

    /// <summary><see cref="MagicValue"/>.</summary>
    public uint Magic;

    /// <summary>CRC32C of the head from <see cref="Type"/> on, and of the checksums.</summary>
    public uint Crc;

    /// <summary>What it tells.</summary>
    public RecordType Type;

    /// <summary>How many checksums follow.</summary>
    public uint Sums;

    /// <summary>One more than the record before; a record left over from an earlier use of the segment does not follow.</summary>
    public ulong Lsn;

    /// <summary>The chunk.</summary>
    public ulong Chunk;

    /// <summary>The write's stamp.</summary>
    public ulong Stamp;

    /// <summary>Who wrote.</summary>
    public ulong Client;

    /// <summary>The client's number of the write.</summary>
    public ulong Mutation;

    /// <summary>The first block.</summary>
    public uint FirstBlock;

    /// <summary>How many blocks.</summary>
    public uint Blocks;

    /// <summary>Bytes of data behind the checksums.</summary>
    public uint DataBytes;

    /// <summary>0.</summary>
    public uint Reserved;

    /// <summary>0.</summary>
    public ulong Reserved2;
}

/// <summary>A mutation that was carried out, as it is handed on from one segment to the next.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct JournalledMutation
{
    /// <summary>The chunk.</summary>
    public ulong Chunk;

    /// <summary>Its stamp.</summary>
    public ulong Stamp;

    /// <summary>Who wanted it.</summary>
    public ulong Client;

    /// <summary>The client's number of it; 0 behind the last.</summary>
    public ulong Mutation;
}
