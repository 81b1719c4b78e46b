using System.Numerics;
using System.Runtime.InteropServices;
using Harness.Cluster.Disk;
using Harness.FuseProtocol;
using Mono.Unix.Native;

namespace Harness.Cluster.Chunks.Store;

/// <summary>A chunk's block sums as its file of sums has them, and the pages of it that have changed since.</summary>
internal sealed class SumTable
{
    private const int PageBytes = 4096;
    private const int PageBytesMin = 64;
    private const int EntriesPerPage = PageBytes / BlockSum.EntryBytes;

    private readonly byte[]?[] _pages;
    private readonly bool[] _dirty;

    /// <summary>A table without entries.</summary>
    public SumTable(int blocks)
    {
        _pages = new byte[]?[(blocks + EntriesPerPage - 1) / EntriesPerPage];
        _dirty = new bool[_pages.Length];
    }

    /// <summary>Whether something must be saved.</summary>
    public bool IsDirty { get; private set; }

    /// <summary>One past the last block that has an entry.</summary>
    public int End { get; private set; }

    /// <summary>A block's entry.</summary>
    public BlockSum this[int block]
    {
        get => _pages[block / EntriesPerPage] is { } page && block % EntriesPerPage < page.Length / BlockSum.EntryBytes
            ? Entries(page)[block % EntriesPerPage]
            : default;
        set
        {
            Entries(PageFor(block))[block % EntriesPerPage] = value;
            _dirty[block / EntriesPerPage] = true;
            IsDirty = true;
            End = Math.Max(End, block + 1);
        }
    }

    /// <summary>Reads all entries behind the file's header.</summary>
    public async ValueTask<Errno> Load(IDiskFile file)
    {
        var all = new byte[Math.Max(0, Math.Min(file.Length - PageBytes, (long)_pages.Length * PageBytes))];
        Result<int> read = await file.Read(PageBytes, all);
        if (!read.IsOk)
        {
            return read.Error;
        }

        for (int from = 0; from < read.Value; from += PageBytes)
        {
            ReadOnlySpan<byte> part = all.AsSpan(from, Math.Min(PageBytes, read.Value - from));
            int last = part.LastIndexOfAnyExcept((byte)0);
            if (last >= 0)
            {
                part.CopyTo(_pages[from / PageBytes] = new byte[PageBytes]);
                End = ((from + last) / BlockSum.EntryBytes) + 1;
            }
        }

        return Errnos.Ok;
    }

    /// <summary>Takes over the first entries, which is all there are.</summary>
    public void Load(ReadOnlySpan<byte> entries)
    {
        int last = entries.LastIndexOfAnyExcept((byte)0);
        if (last >= 0)
        {
            End = (last / BlockSum.EntryBytes) + 1;
            entries[..(last + 1)].CopyTo(PageFor(End - 1));
        }
    }

    /// <summary>Writes the first entries, which is all there are.</summary>
    public void Save(Span<byte> entries)
    {
        IsDirty = _dirty[0] = false;
        if (_pages[0] is { } page)
        {
            page.AsSpan(0, Math.Min(entries.Length, page.Length)).CopyTo(entries);
        }
    }

    /// <summary>They are to be written elsewhere, whether they have changed or not.</summary>
    public void MarkAll()
    {
        for (int i = 0; i < _pages.Length; i++)
        {
            _dirty[i] = _pages[i] is not null;
            IsDirty |= _dirty[i];
        }
    }

    /// <summary>Writes the pages that have changed; entries set meanwhile are written the next time.</summary>
    public async ValueTask<Errno> Save(IDiskFile file)
    {
        IsDirty = false;
        for (int i = 0; i < _pages.Length; i++)
        {
            if (!_dirty[i])
            {
                continue;
            }

            _dirty[i] = false;
            Errno error = await file.Write((i + 1L) * PageBytes, _pages[i]!);
            if (error != Errnos.Ok)
            {
                _dirty[i] = IsDirty = true;
                return error;
            }
        }

        return Errnos.Ok;
    }

    /// <summary>A page that is at least as long as the block's entry needs: the many chunks of one block have 64 bytes each, not 4 KiB.</summary>
    private byte[] PageFor(int block)
    {
        ref byte[]? page = ref _pages[block / EntriesPerPage];
        int needed = ((block % EntriesPerPage) + 1) * BlockSum.EntryBytes;
        if (page is null || page.Length < needed)
        {
            Array.Resize(ref page, Math.Max(PageBytesMin, (int)BitOperations.RoundUpToPowerOf2((uint)needed)));
        }

        return page;
    }

    private static Span<BlockSum> Entries(byte[] page) => MemoryMarshal.Cast<byte, BlockSum>(page.AsSpan());
}
