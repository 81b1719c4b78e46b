using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;
using Harness.Runtime.Native;

namespace Harness.Experiments.Keeping;

/// <summary>What stands at the front of a <see cref="KeptState"/>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct StateHeader
{
    public ulong Magic;

    /// <summary>Of the layout; a process that has another cannot read the state.</summary>
    public uint Version;

    /// <summary>Counts the daemons that the mount has had.</summary>
    public uint Generation;
    public int JournalEntries;
    public int Slots;

    /// <summary>Slots that have ever been used: all behind are empty.</summary>
    public int SlotsUsed;
    public uint Padding;

    /// <summary>Counts the journal entries that were ever made; the next one is looked for from there.</summary>
    public long JournalHead;

    /// <summary>Highest node id and handle that were ever given out, so that none is given out twice.</summary>
    public ulong LastNodeId;
    public ulong LastFh;
    public KeptInit Init;
}

/// <summary>What INIT agreed on.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct KeptInit
{
    public ulong Flags;
    public ulong Offered;
    public ulong Refused;
    public uint Minor;
    public int MaxWrite;
    public int MaxReadahead;
    public ushort MaxBackground;
    public ushort CongestionThreshold;

    public KeptInit(NegotiatedInit init)
    {
        Flags = (ulong)init.Flags;
        Offered = (ulong)init.Offered;
        Refused = (ulong)init.Refused;
        Minor = init.Minor;
        MaxWrite = init.MaxWrite;
        MaxReadahead = init.MaxReadahead;
        MaxBackground = init.MaxBackground;
        CongestionThreshold = init.CongestionThreshold;
    }

    /// <summary>The agreement; null before there is one.</summary>
    public readonly NegotiatedInit? ToNegotiated() => Minor == 0 ? null : new NegotiatedInit
    {
        Minor = Minor,
        Flags = (InitFlags)Flags,
        Offered = (InitFlags)Offered,
        Refused = (InitFlags)Refused,
        MaxWrite = MaxWrite,
        MaxReadahead = MaxReadahead,
        MaxBackground = MaxBackground,
        CongestionThreshold = CongestionThreshold,
    };
}

/// <summary>What a kept descriptor is to the file system.</summary>
internal enum KeptKind : uint
{
    /// <summary>A node that the kernel knows.</summary>
    Node = 1,

    /// <summary>An open file.</summary>
    File = 2,

    /// <summary>An open directory.</summary>
    Directory = 3,
}

/// <summary>What is known of a descriptor that the supervisor keeps under the slot's number.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct KeptSlot
{
    /// <summary>Its node id or handle; 0 in an empty slot. Written last when a slot is filled, and first when it is emptied.</summary>
    public ulong Id;

    /// <summary>Of a node its lookup count, of a handle its node id.</summary>
    public ulong Value;

    /// <summary>The request that opened a handle.</summary>
    public ulong Unique;
    public KeptKind Kind;

    /// <summary>Of a node the number of its backing file, 0 for none.</summary>
    public int BackingId;

    /// <summary>Of a node without a descriptor, what it is found again by.</summary>
    public KeptFile File;
}

/// <summary>A file that is not kept open, on the file system of the mount's root.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct KeptFile
{
    public ulong Ino;
    public uint Mode;

    /// <summary>Bytes of <see cref="Handle"/> that mean something; 0 for none.</summary>
    public int HandleBytes;
    public KeptHandle Handle;

    /// <summary>Puts a file's handle into a slot.</summary>
    /// <returns>False if it has no room there.</returns>
    public static bool TryMake(ulong ino, uint mode, FileHandle handle, out KeptFile made)
    {
        made = new KeptFile { Ino = ino, Mode = mode, HandleBytes = handle.Bytes.Length };
        return handle.Bytes.TryCopyTo(made.Handle);
    }

    /// <summary>Gets the handle out again.</summary>
    public readonly FileHandle ToHandle() => FileHandle.From(((ReadOnlySpan<byte>)Handle)[..HandleBytes]);
}

/// <summary>Room for a struct file_handle: its header of 8 bytes, and more than ext4 (8), XFS (20) or Btrfs (20) need.</summary>
[InlineArray(56)]
internal struct KeptHandle
{
    private byte _element;
}

/// <summary>How far a journaled request has come.</summary>
internal enum JournalState
{
    Free,

    /// <summary>Somebody is filling in the entry; the request has not been begun.</summary>
    Claimed,

    /// <summary>The file system has it.</summary>
    Begun,

    /// <summary>It has been carried out, and the answer is in the entry.</summary>
    Done,
}

/// <summary>An entry of a <see cref="RequestJournal"/>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct JournalEntry
{
    public ulong Unique;
    public ulong Note;
    public JournalState State;
    public Opcode Opcode;

    /// <summary>That of the daemon which made the entry.</summary>
    public uint Generation;
    public int Error;
    public int Length;
    public uint Padding;
    public JournaledReply Reply;
}

/// <summary>Room for the payload of any journaled reply: <see cref="OnceOnly.ReplyBytesMax"/>.</summary>
[InlineArray(144)]
internal struct JournaledReply
{
    private byte _element;
}
