using Harness.Runtime.Native;
using Harness.Tests.Mounts;
using static Harness.Tests.Mounts.Posix;

namespace Harness.Tests.Posix;

/// <summary>
/// Does everything that can be done to the data of a file, in random order, and compares what it reads with a model that has done the same in
/// memory. (The idea is fsx's, by Avadis Tevanian.)
/// </summary>
internal sealed class FileExerciser : IDisposable
{
    private const int SizeMax = 256 << 10;
    private const int LengthMax = 40_000;
    private const int Block = 4096;
    private const int HistoryMax = 40;
    private const int DontNeed = 4;

    private readonly string _path;
    private readonly Random _random;
    private readonly byte[] _model = new byte[SizeMax];
    private readonly byte[] _buffer = new byte[SizeMax + 1];
    private readonly AlignedMemory _aligned = new(SizeMax);
    private readonly Queue<string> _history = new();
    private readonly Action[] _operations;
    private OpenedFile _file;
    private OpenedFile _direct;
    private OpenedFile _appender;
    private int _size;
    private byte _stamp;

    /// <summary>An exerciser of a new file.</summary>
    /// <param name="path">Where.</param>
    /// <param name="seed">Of all that is random.</param>
    /// <param name="modes">Modes of fallocate(2) that the file system has.</param>
    public FileExerciser(string path, ulong seed, IEnumerable<int> modes)
    {
        _path = path;
        _random = new Random((int)(seed ^ (seed >> 32)));
        _file = Open(path, ReadWrite | Creating);
        _direct = Open(path, ReadWrite | FileFlags.Direct);
        _appender = Open(path, WriteOnly | Appending);
        _operations =
        [
            WriteSome, WriteSome, WriteSome, WriteDirectly, WriteMapped, Append, ReadSome, ReadSome, ReadDirectly, ReadMapped, Truncate, Copy,
            Sync, Reopen, DropPages, CheckSize, .. modes.Select(mode => (Action)(() => Allocate(mode))),
        ];
    }

    /// <summary>Goes on until it has done so many operations, and compares the whole file at the end.</summary>
    public void Run(int operations)
    {
        for (int i = 0; i < operations; i++)
        {
            _operations[_random.Next(_operations.Length)]();
        }

        Reopen();
        CheckSize();
        Note("compare all");
        Compare(0, _file.Read(_buffer, 0), SizeMax);
    }

    public void Dispose()
    {
        _file.Dispose();
        _direct.Dispose();
        _appender.Dispose();
        _aligned.Dispose();
    }

    private void WriteSome()
    {
        (int offset, int length) = Range(SizeMax);
        Note($"write {offset} {length}");
        ReadOnlySpan<byte> data = Fill(offset, length);
        _file.Write(data, offset);
    }

    private void WriteDirectly()
    {
        (int offset, int length) = AlignedRange();
        Note($"direct write {offset} {length}");
        Fill(offset, length).CopyTo(_aligned.Span);
        _direct.Write(_aligned.Span[..length], offset);
    }

    private void WriteMapped()
    {
        if (_size == 0)
        {
            return;
        }

        (int offset, int length) = Range(_size);
        bool sync = _random.Next(2) == 0;
        Note($"mapped write {offset} {length}{(sync ? " msync" : string.Empty)}");
        using var mapping = new Mapping(_file, _size);
        mapping.Write(offset, Fill(offset, length));
        if (sync)
        {
            mapping.Sync();
        }
    }

    private void Append()
    {
        int length = Math.Min(_random.Next(1, 5000), SizeMax - _size);
        Note($"append {length} at {_size}");
        if (length > 0)
        {
            // The offset means nothing to an appender.
            _appender.Write(Fill(_size, length), 0);
        }
    }

    private void ReadSome()
    {
        (int offset, int length) = Range(SizeMax);
        Note($"read {offset} {length}");
        Compare(offset, _file.Read(_buffer.AsSpan(0, length), offset), length);
    }

    private void ReadDirectly()
    {
        (int offset, int length) = AlignedRange();
        Note($"direct read {offset} {length}");
        int read = _direct.Read(_aligned.Span[..length], offset);
        _aligned.Span[..read].CopyTo(_buffer);
        Compare(offset, read, length);
    }

    private void ReadMapped()
    {
        if (_size == 0)
        {
            return;
        }

        (int offset, int length) = Range(_size);
        Note($"mapped read {offset} {length}");
        using var mapping = new Mapping(_file, _size);
        mapping.Read(offset, _buffer.AsSpan(0, length));
        Compare(offset, length, length);
    }

    private void Truncate()
    {
        int size = _random.Next(SizeMax + 1);
        Note($"truncate {size}");
        Ok(_random.Next(2) == 0 ? _file.Truncate(size) : Harness.Tests.Mounts.Posix.Truncate(_path, size));
        SetSize(size);
    }

    private void Allocate(int mode)
    {
        (int offset, int length) = Range(SizeMax);
        Note($"fallocate {mode} {offset} {length}");
        Ok(_file.Allocate(mode, offset, length));
        if ((mode & KeepSize) == 0 && offset + length > _size)
        {
            _size = offset + length;
        }

        if ((mode & (PunchHole | ZeroRange)) != 0)
        {
            _model.AsSpan(offset, length).Clear();
        }
    }

    private unsafe void Copy()
    {
        (int offset, int length) = Range(SizeMax / 2);
        int newOffset = (SizeMax / 2) + _random.Next((SizeMax / 2) - length);
        Note($"copy {offset} {length} to {newOffset}");
        // What there is before the copy: the copy itself may move the end of file, and then there is more.
        int available = Math.Clamp(_size - offset, 0, length);
        int copied = 0;
        while (copied < available)
        {
            long from = offset + copied;
            long to = newOffset + copied;
            nint result = PosixNative.CopyFileRange(_file.Fd, &from, _file.Fd, &to, (nuint)(available - copied), 0);
            Assert.True(result >= 0, $"copy_file_range: {Libc.LastErrno}{History()}");
            if (result == 0)
            {
                break;
            }

            copied += (int)result;
        }

        Assert.True(copied == available, $"copied {copied}{History()}");
        _model.AsSpan(offset, copied).CopyTo(_model.AsSpan(newOffset));
        _size = copied > 0 ? Math.Max(_size, newOffset + copied) : _size;
    }

    private void Sync()
    {
        Note("fsync");
        Ok(_file.Sync());
    }

    private void Reopen()
    {
        Note("reopen");
        _file.Dispose();
        _direct.Dispose();
        _appender.Dispose();
        _file = Open(_path, ReadWrite);
        _direct = Open(_path, ReadWrite | FileFlags.Direct);
        _appender = Open(_path, WriteOnly | Appending);
    }

    private void DropPages()
    {
        Note("drop pages");
        Assert.Equal(0, PosixNative.Advise(_file.Fd, 0, 0, DontNeed));
    }

    private void CheckSize()
    {
        Note("stat");
        ulong size = Stat(_path).Size;
        Assert.True(size == (ulong)_size, $"the size is {size}, not {_size}{History()}");
    }

    private (int Offset, int Length) Range(int end)
    {
        int length = _random.Next(1, Math.Min(LengthMax, end) + 1);
        return (_random.Next(end - length + 1), length);
    }

    private (int Offset, int Length) AlignedRange()
    {
        int length = Block * _random.Next(1, 9);
        return (Block * _random.Next(((SizeMax - length) / Block) + 1), length);
    }

    /// <summary>New data for a range, written to the model already.</summary>
    private ReadOnlySpan<byte> Fill(int offset, int length)
    {
        Span<byte> range = _model.AsSpan(offset, length);
        _stamp = (byte)Math.Max(1, _stamp + 1);
        for (int i = 0; i < length; i++)
        {
            range[i] = (byte)Math.Max(1, ((offset + i) / 7) ^ _stamp);
        }

        _size = Math.Max(_size, offset + length);
        return range;
    }

    private void SetSize(int size)
    {
        if (size < _size)
        {
            _model.AsSpan(size).Clear();
        }

        _size = size;
    }

    private void Compare(int offset, int read, int asked)
    {
        int expected = Math.Clamp(_size - offset, 0, asked);
        Assert.True(read == expected, $"{read} bytes were read, not {expected}{History()}");
        int same = _model.AsSpan(offset, read).CommonPrefixLength(_buffer.AsSpan(0, read));
        Assert.True(same == read, $"byte {offset + same} is {_buffer[same]}, not {_model[Math.Min(offset + same, SizeMax - 1)]}{History()}");
    }

    private void Note(string operation)
    {
        _history.Enqueue(operation);
        if (_history.Count > HistoryMax)
        {
            _history.Dequeue();
        }
    }

    private string History() => $" after\n{string.Join('\n', _history)}";
}
