using System.Runtime.InteropServices;
using Harness.FuseProtocol.Wire;

namespace Harness.FuseProtocol;

/// <summary>Lays out the names of a directory as READDIR and READDIRPLUS return them, as many as fit.</summary>
/// <param name="buffer">Where they go.</param>
public ref struct DirentWriter(Span<byte> buffer)
{
    private const int DirentSize = 24;
    private const int EntrySize = 128;

    private readonly Span<byte> _buffer = buffer;

    /// <summary>Bytes written so far.</summary>
    public int Length { get; private set; }

    /// <summary>Adds a name for READDIR.</summary>
    /// <param name="name">The name, without NUL.</param>
    /// <param name="ino">Its inode number.</param>
    /// <param name="mode">Its mode, of which only the file type is sent.</param>
    /// <param name="nextOffset">Where the next READDIR goes on behind this name; never 0.</param>
    /// <returns>False, and nothing written, if it does not fit.</returns>
    public bool TryAdd(scoped ReadOnlySpan<byte> name, ulong ino, uint mode, ulong nextOffset)
    {
        int size = Protocol.Align(DirentSize + name.Length);
        if (size > _buffer.Length - Length)
        {
            return false;
        }

        WriteDirent(_buffer.Slice(Length, size), name, ino, mode, nextOffset);
        Length += size;
        return true;
    }

    /// <summary>Adds a name for READDIRPLUS. The node's lookup count grows by one, except for <c>.</c> and <c>..</c> (node id 0).</summary>
    /// <param name="name">The name, without NUL.</param>
    /// <param name="entry">As LOOKUP would answer; node id 0 where the kernel shall not cache it.</param>
    /// <param name="nextOffset">Where the next READDIRPLUS goes on behind this name; never 0.</param>
    /// <returns>False, and nothing written, if it does not fit.</returns>
    public bool TryAddPlus(scoped ReadOnlySpan<byte> name, in EntryOut entry, ulong nextOffset)
    {
        int size = Protocol.Align(EntrySize + DirentSize + name.Length);
        if (size > _buffer.Length - Length)
        {
            return false;
        }

        Span<byte> record = _buffer.Slice(Length, size);
        MemoryMarshal.Write(record, in entry);
        WriteDirent(record[EntrySize..], name, entry.Attr.Ino, entry.Attr.Mode, nextOffset);
        Length += size;
        return true;
    }

    private static void WriteDirent(Span<byte> record, scoped ReadOnlySpan<byte> name, ulong ino, uint mode, ulong nextOffset)
    {
        var dirent = new Dirent { Ino = ino, Off = nextOffset, Namelen = (uint)name.Length, Type = (mode & 0xF000) >> 12 };
        MemoryMarshal.Write(record, in dirent);
        name.CopyTo(record[DirentSize..]);
        record[(DirentSize + name.Length)..].Clear();
    }
}
