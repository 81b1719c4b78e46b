using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Harness.Runtime.Native;
using Harness.Transport;
using Microsoft.Win32.SafeHandles;

namespace Harness.Experiments.Keeping;

/// <summary>
/// What of a mount must survive its daemon and fits into memory, which the supervisor shares with one daemon after the other: what INIT agreed
/// on, the journal of requests, and what the descriptors mean that the supervisor keeps.
/// </summary>
/// <remarks>
/// Written by the daemon as it goes, with plain stores: what a thread has stored is in memory when SIGKILL ends it, whatever came next. So each
/// change is ordered such that whoever reads after any of its steps finds the old or the new. Layout: a page of header, the journal, the slots.
/// </remarks>
internal sealed class KeptState : IDisposable
{
    /// <summary>Of the layout of header, journal and slots, and of the messages between supervisor and daemon.</summary>
    public const uint Version = 1;

    private const ulong Magic = 0x314B_5353_4E52_4148; // "HARNSSK1"
    private const int HeaderBytes = 4096;

    private readonly SharedBuffer _memory;
    private readonly int _journalEntries;
    private readonly int _slots;

    private KeptState(SharedBuffer memory)
    {
        _memory = memory;
        _journalEntries = Header.JournalEntries;
        _slots = Header.Slots;
    }

    /// <summary>What another process opens it by.</summary>
    public SafeFileHandle Descriptor => _memory.Descriptor;

    /// <summary>The front page.</summary>
    public ref StateHeader Header => ref MemoryMarshal.AsRef<StateHeader>(_memory.GetSpan());

    /// <summary>The journal's entries.</summary>
    public Span<JournalEntry> Journal => MemoryMarshal.Cast<byte, JournalEntry>(_memory.GetSpan()[HeaderBytes..])[.._journalEntries];

    /// <summary>What the kept descriptors mean, by the numbers under which they are kept.</summary>
    public Span<KeptSlot> Slots => MemoryMarshal.Cast<byte, KeptSlot>(_memory.GetSpan()[SlotsOffset(_journalEntries)..])[.._slots];

    /// <summary>Makes an empty state. Its memory is taken as it is used: 192 bytes a journal entry, 104 a slot.</summary>
    /// <param name="journalEntries">Most requests in flight that must not run twice.</param>
    /// <param name="slots">Most nodes and handles that are kept.</param>
    public static KeptState Create(int journalEntries, int slots)
    {
        SharedBuffer memory = SharedBuffer.Create("harness-kept", Bytes(journalEntries, slots));
        ref StateHeader header = ref MemoryMarshal.AsRef<StateHeader>(memory.GetSpan());
        header.Magic = Magic;
        header.Version = Version;
        header.JournalEntries = journalEntries;
        header.Slots = slots;
        return new KeptState(memory);
    }

    /// <summary>Opens the state that another process made.</summary>
    /// <param name="descriptor">Taken over.</param>
    /// <exception cref="FuseTransportException">It is none, or of another version of this program.</exception>
    public static KeptState Open(SafeFileHandle descriptor)
    {
        SharedBuffer memory = SharedBuffer.Open(descriptor);
        if (memory.Length >= HeaderBytes)
        {
            ref StateHeader header = ref MemoryMarshal.AsRef<StateHeader>(memory.GetSpan());
            if (header.Magic == Magic && header.Version == Version && memory.Length == Bytes(header.JournalEntries, header.Slots))
            {
                return new KeptState(memory);
            }
        }

        ((IDisposable)memory).Dispose();
        throw new FuseTransportException("The state of the kept mount is not of this version of the program. Unmount, and mount again.");
    }

    /// <inheritdoc/>
    public void Dispose() => ((IDisposable)_memory).Dispose();

    private static int SlotsOffset(int journalEntries) => HeaderBytes + (journalEntries * Unsafe.SizeOf<JournalEntry>());

    private static int Bytes(int journalEntries, int slots) => checked(SlotsOffset(journalEntries) + (slots * Unsafe.SizeOf<KeptSlot>()));
}
