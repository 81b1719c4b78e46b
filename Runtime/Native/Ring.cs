using System.ComponentModel;
using Mono.Unix.Native;

namespace Harness.Runtime.Native;

/// <summary>An io_uring with 128-byte entries, by raw system calls (io_uring(7)).</summary>
/// <remarks>For one thread, which makes it, submits and completes; disposed after that thread has ended.</remarks>
internal sealed unsafe class Ring : IDisposable
{
    private const int ProtReadWrite = 3;
    private const int MapSharedPopulate = 0x8001;

    private readonly int _fd;
    private readonly byte* _rings;
    private readonly nuint _ringsBytes;
    private readonly IoUring.Sqe* _sqes;
    private readonly nuint _sqesBytes;
    private readonly uint* _sqHead;
    private readonly uint* _sqTail;
    private readonly uint* _sqFlags;
    private readonly uint _sqMask;
    private readonly uint* _sqArray;
    private readonly uint* _cqHead;
    private readonly uint* _cqTail;
    private readonly uint _cqMask;
    private readonly IoUring.Cqe* _cqes;
    private uint _prepared;
    private uint _submitted;

    /// <summary>Makes a ring.</summary>
    /// <param name="entries">Entries that can be prepared between two submits, rounded up to a power of two.</param>
    /// <param name="flags">IORING_SETUP flags besides SQE128.</param>
    /// <exception cref="Win32Exception">The kernel has no io_uring, forbids it, or lacks a flag.</exception>
    public Ring(uint entries, uint flags)
    {
        var parameters = new IoUring.Params { Flags = flags | IoUring.SetupSqe128 };
        _fd = IoUring.Setup(entries, &parameters);
        if (_fd < 0)
        {
            throw new Win32Exception((int)Libc.LastErrno, $"io_uring_setup failed: {Libc.LastErrno}");
        }

        // Since Linux 5.4 both rings lie in one mapping (IORING_FEAT_SINGLE_MMAP).
        _ringsBytes = Math.Max(
            parameters.SqOff.Array + (parameters.SqEntries * sizeof(uint)),
            parameters.CqOff.Cqes + (parameters.CqEntries * (uint)sizeof(IoUring.Cqe)));
        _rings = Map(_ringsBytes, IoUring.OffSqRing);
        _sqesBytes = parameters.SqEntries * (nuint)sizeof(IoUring.Sqe);
        _sqes = (IoUring.Sqe*)Map(_sqesBytes, IoUring.OffSqes);
        _sqHead = (uint*)(_rings + parameters.SqOff.Head);
        _sqTail = (uint*)(_rings + parameters.SqOff.Tail);
        _sqFlags = (uint*)(_rings + parameters.SqOff.Flags);
        _sqMask = *(uint*)(_rings + parameters.SqOff.RingMask);
        _sqArray = (uint*)(_rings + parameters.SqOff.Array);
        _cqHead = (uint*)(_rings + parameters.CqOff.Head);
        _cqTail = (uint*)(_rings + parameters.CqOff.Tail);
        _cqMask = *(uint*)(_rings + parameters.CqOff.RingMask);
        _cqes = (IoUring.Cqe*)(_rings + parameters.CqOff.Cqes);
        _prepared = _submitted = *_sqTail;
        for (uint i = 0; i < parameters.SqEntries; i++)
        {
            _sqArray[i] = i;
        }
    }

    /// <summary>Entries prepared and not yet submitted.</summary>
    public uint Unsubmitted => _prepared - _submitted;

    /// <summary>Whether there is a completion to take, or <see cref="Enter"/> would make one (needs IORING_SETUP_TASKRUN_FLAG).</summary>
    public bool HasWork => *_cqHead != Volatile.Read(ref *_cqTail) || (Volatile.Read(ref *_sqFlags) & IoUring.SqTaskrun) != 0;

    /// <summary>The next entry, cleared, to be filled before the next <see cref="Enter"/>. Submits what is there when the ring is full.</summary>
    public IoUring.Sqe* NextEntry()
    {
        if (_prepared - Volatile.Read(ref *_sqHead) > _sqMask)
        {
            Enter(0);
        }

        IoUring.Sqe* entry = &_sqes[_prepared & _sqMask];
        *entry = default;
        _prepared++;
        return entry;
    }

    /// <summary>Submits what was prepared, and waits until at least <paramref name="waitFor"/> completions are there.</summary>
    /// <returns>Ok, or EINTR where a signal ended the wait.</returns>
    public Errno Enter(uint waitFor)
    {
        Volatile.Write(ref *_sqTail, _prepared);
        int result = IoUring.Enter(_fd, Unsubmitted, waitFor, IoUring.EnterGetEvents);
        if (result < 0)
        {
            return Libc.LastErrno;
        }

        _submitted += (uint)result;
        return 0;
    }

    /// <summary>Takes the next completion, if there is one.</summary>
    public bool TryComplete(out IoUring.Cqe completion)
    {
        uint head = *_cqHead;
        if (head == Volatile.Read(ref *_cqTail))
        {
            completion = default;
            return false;
        }

        completion = _cqes[head & _cqMask];
        Volatile.Write(ref *_cqHead, head + 1);
        return true;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _ = Libc.Munmap(_rings, _ringsBytes);
        _ = Libc.Munmap(_sqes, _sqesBytes);
        _ = Libc.Close(_fd);
    }

    private byte* Map(nuint bytes, nint offset)
    {
        void* memory = Libc.Mmap(null, bytes, ProtReadWrite, MapSharedPopulate, _fd, offset);
        return memory != (void*)-1 ? (byte*)memory : throw new Win32Exception((int)Libc.LastErrno, "mapping a ring failed");
    }
}
