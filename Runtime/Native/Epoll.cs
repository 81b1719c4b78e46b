using System.ComponentModel;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Mono.Unix.Native;

namespace Harness.Runtime.Native;

/// <summary>An epoll instance (epoll(7)), edge-triggered, whose time-out counts nanoseconds.</summary>
/// <remarks>For the thread that waits, but for <see cref="Dispose"/> after that thread has ended.</remarks>
internal sealed unsafe class Epoll : IDisposable
{
    public const uint In = 1;
    public const uint Out = 4;
    public const uint Error = 8;
    public const uint HangUp = 0x10;
    public const uint ReadHangUp = 0x2000;

    private const uint EdgeTriggered = 1u << 31;
    private const int CtlAdd = 1;
    private const int CtlDelete = 2;
    private const int CtlModify = 3;
    private const int CloseOnExec = 0x80000;
    private const int EventsMax = 64;
    private const long SysEpollPwait2 = 441;

    // struct epoll_event is packed on x86-64 alone (include/uapi/linux/eventpoll.h).
    private static readonly bool s_packed = RuntimeInformation.ProcessArchitecture == Architecture.X64;
    private static readonly int s_eventBytes = s_packed ? 12 : 16;
    private static readonly int s_dataOffset = s_packed ? 4 : 8;

    private readonly int _fd;
    private readonly bool _isOwner = true;
    private readonly byte[] _events = GC.AllocateArray<byte>(EventsMax * 16, pinned: true);
    private bool _hasPwait2 = true;

    /// <summary>Makes an instance.</summary>
    public Epoll()
    {
        _fd = Libc.EpollCreate1(CloseOnExec);
        if (_fd < 0)
        {
            throw new Win32Exception((int)Libc.LastErrno, "epoll_create1 failed");
        }
    }

    /// <summary>Another thread's view of an instance, with room of its own for events. Ends with it.</summary>
    public Epoll(Epoll of) => (_fd, _isOwner) = (of._fd, false);

    /// <summary>Watches a descriptor for its edges; they come back with <paramref name="data"/>.</summary>
    /// <param name="fd">The descriptor.</param>
    /// <param name="data">What tells of it.</param>
    /// <param name="writable">Whether that it can be written again is one of them.</param>
    public void Add(SafeHandle fd, ulong data, bool writable) => Control(CtlAdd, fd, data, writable);

    /// <summary>Watches a descriptor otherwise than before; what holds already is told of at once.</summary>
    public void Change(SafeHandle fd, ulong data, bool writable) => Control(CtlModify, fd, data, writable);

    /// <summary>No longer watches a descriptor, which is still open.</summary>
    public void Remove(SafeHandle fd)
    {
        byte* interest = stackalloc byte[16];
        if (Libc.EpollCtl(_fd, CtlDelete, fd, interest) < 0)
        {
            throw new Win32Exception((int)Libc.LastErrno, "epoll_ctl failed");
        }
    }

    /// <summary>Waits until something has happened.</summary>
    /// <param name="nanoseconds">For how long at most; negative for ever.</param>
    /// <returns>How many events <see cref="Event"/> can tell of; 0 after a time-out or a signal.</returns>
    public int Wait(long nanoseconds)
    {
        var timeout = new TimeSpec { Seconds = nanoseconds / 1_000_000_000, Nanoseconds = nanoseconds % 1_000_000_000 };
        TimeSpec* limit = nanoseconds < 0 ? null : &timeout;
        byte* events = (byte*)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(_events));
        if (nanoseconds == 0)
        {
            return Math.Max(0, Libc.EpollWait(_fd, events, EventsMax, 0));
        }

        if (_hasPwait2)
        {
            long count = Libc.Syscall(SysEpollPwait2, _fd, (nint)events, EventsMax, (nint)limit, 0, 0);
            if (count >= 0 || Libc.LastErrno != Errno.ENOSYS)
            {
                return (int)Math.Max(0, count);
            }

            _hasPwait2 = false;
        }

        // Before Linux 5.11 epoll counted milliseconds; an epoll descriptor can itself be waited for by ppoll(2), which does not.
        var poll = new PollFd { Fd = _fd, Events = PollFd.In };
        return Libc.Ppoll(&poll, 1, limit, null) > 0 ? Math.Max(0, Libc.EpollWait(_fd, events, EventsMax, 0)) : 0;
    }

    /// <summary>One of the events of the last <see cref="Wait"/>.</summary>
    public (uint Events, ulong Data) Event(int index)
    {
        ReadOnlySpan<byte> place = _events.AsSpan(index * s_eventBytes, s_eventBytes);
        return (MemoryMarshal.Read<uint>(place), MemoryMarshal.Read<ulong>(place[s_dataOffset..]));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_isOwner)
        {
            _ = Libc.Close(_fd);
        }
    }

    private void Control(int operation, SafeHandle fd, ulong data, bool writable)
    {
        byte* interest = stackalloc byte[16];
        Unsafe.WriteUnaligned(interest, In | (writable ? Out : 0) | ReadHangUp | EdgeTriggered);
        Unsafe.WriteUnaligned(interest + s_dataOffset, data);
        if (Libc.EpollCtl(_fd, operation, fd, interest) < 0)
        {
            throw new Win32Exception((int)Libc.LastErrno, "epoll_ctl failed");
        }
    }
}
