using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;
using Mono.Unix.Native;

namespace Harness.Tests.Experiments.Backends.Models;

/// <summary>What a page of a file may be.</summary>
internal enum PageState
{
    Hole,
    Reserved,
    Data,
}

/// <summary>What the data of a file should do: an array of bytes, and a state for each page of 4 KiB, also of those behind the end.</summary>
internal sealed class DataModel
{
    public const int Page = 4096;

    private List<byte> _bytes = [];
    private List<PageState> _pages = [];

    public byte[] Bytes => [.. _bytes];

    public int Size => _bytes.Count;

    public ulong Blocks => (ulong)_pages.Count(page => page != PageState.Hole) * 8;

    public void Write(int offset, byte[] data)
    {
        if (data.Length == 0)
        {
            return;
        }

        Extend(Math.Max(_bytes.Count, offset + data.Length));
        for (int i = 0; i < data.Length; i++)
        {
            _bytes[offset + i] = data[i];
        }

        Mark(offset / Page, (offset + data.Length + Page - 1) / Page, PageState.Data);
    }

    public void Truncate(int size)
    {
        if (size <= _bytes.Count)
        {
            _bytes = _bytes[..size];
            _pages = _pages[..Math.Min(_pages.Count, (size + Page - 1) / Page)];
        }

        Extend(size);
    }

    public int Copy(int offset, int newOffset, int length)
    {
        byte[] data = [.. _bytes.Skip(offset).Take(length)];
        Write(newOffset, data);
        return data.Length;
    }

    public Errno Fallocate(FallocateMode mode, int offset, int length)
    {
        int end = offset + length;
        bool aligned = offset % Page == 0 && length % Page == 0;
        switch (mode)
        {
            case FallocateMode.None:
            case FallocateMode.KeepSize:
                Extend(mode == FallocateMode.None ? Math.Max(_bytes.Count, end) : _bytes.Count);
                Reserve(offset / Page, (end + Page - 1) / Page);
                return Errnos.Ok;
            case FallocateMode.PunchHole | FallocateMode.KeepSize:
                Clear(offset, end);
                Mark((offset + Page - 1) / Page, Math.Min(end / Page, _pages.Count), PageState.Hole);
                return Errnos.Ok;
            case FallocateMode.ZeroRange:
            case FallocateMode.ZeroRange | FallocateMode.KeepSize:
                Extend(mode == FallocateMode.ZeroRange ? Math.Max(_bytes.Count, end) : _bytes.Count);
                Clear(offset, end);
                Reserve(offset / Page, (end + Page - 1) / Page);
                Mark((offset + Page - 1) / Page, end / Page, PageState.Reserved);
                return Errnos.Ok;
            case FallocateMode.CollapseRange when aligned && end < _bytes.Count:
                _bytes.RemoveRange(offset, length);
                Grow(end / Page);
                _pages.RemoveRange(offset / Page, length / Page);
                return Errnos.Ok;
            case FallocateMode.InsertRange when aligned && offset < _bytes.Count:
                _pages = _pages[..Math.Min(_pages.Count, (_bytes.Count + Page - 1) / Page)];
                _bytes.InsertRange(offset, new byte[length]);
                Grow(offset / Page);
                _pages.InsertRange(offset / Page, new PageState[length / Page]);
                return Errnos.Ok;
            default:
                return Errno.EINVAL;
        }
    }

    /// <summary>Where data, or a hole, begins at or behind an offset; null for ENXIO.</summary>
    public int? Seek(int offset, bool data)
    {
        for (int at = offset; at < _bytes.Count; at = (at / Page + 1) * Page)
        {
            bool isData = at / Page < _pages.Count && _pages[at / Page] == PageState.Data;
            if (isData == data)
            {
                return at;
            }
        }

        return data || offset >= _bytes.Count ? null : _bytes.Count;
    }

    private void Extend(int size) => _bytes.AddRange(new byte[Math.Max(0, size - _bytes.Count)]);

    private void Grow(int pages) => _pages.AddRange(new PageState[Math.Max(0, pages - _pages.Count)]);

    private void Clear(int offset, int end)
    {
        for (int i = offset; i < Math.Min(end, _bytes.Count); i++)
        {
            _bytes[i] = 0;
        }
    }

    private void Mark(int first, int end, PageState state)
    {
        Grow(end);
        for (int i = first; i < end; i++)
        {
            _pages[i] = state;
        }
    }

    private void Reserve(int first, int end)
    {
        Grow(end);
        for (int i = first; i < end; i++)
        {
            _pages[i] = _pages[i] == PageState.Hole ? PageState.Reserved : _pages[i];
        }
    }
}
