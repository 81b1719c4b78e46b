using System.ComponentModel;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Mono.Unix.Native;

namespace Harness.Runtime.Native;

/// <summary>What came by <see cref="UnixSocket.Receive"/>.</summary>
/// <param name="Bytes">Bytes of the message; 0 if the peer has closed its end, −1 if nothing has come.</param>
/// <param name="Descriptors">Descriptors that came with it.</param>
internal readonly record struct Received(int Bytes, int Descriptors);

/// <summary>Messages and file descriptors passed over a Unix socket (unix(7), SCM_RIGHTS).</summary>
internal static unsafe class UnixSocket
{
    /// <summary>Descriptors that one message can carry (<c>SCM_MAX_FD</c>, include/net/scm.h).</summary>
    public const int DescriptorsMax = 253;

    private const int AfUnix = 1;
    private const int SockStream = 1;
    private const int SockSeqpacket = 5;
    private const int SolSocket = 1;
    private const int ScmRights = 1;
    private const int MsgDontwait = 0x40;
    private const int MsgNosignal = 0x4000;
    private const int MsgCmsgCloexec = 0x40000000;
    private const int FdCloexec = 1;
    private const int FSetfd = 2;

    // struct cmsghdr: a length of 8 bytes, level and type of 4 each; then the descriptors, padded to 8 bytes.
    private const int ControlHeader = 16;

    /// <summary>A connected pair: one end for this process alone, one that a child process inherits under the same number.</summary>
    public static (SafeFileHandle Ours, int Inherited) Pair() => Pair(SockStream);

    /// <summary>As <see cref="Pair()"/>, keeping messages apart from each other.</summary>
    public static (SafeFileHandle Ours, int Inherited) PacketPair() => Pair(SockSeqpacket);

    /// <summary>Bounds how long <see cref="TrySend"/> waits for a peer that does not read.</summary>
    public static void LimitSending(SafeHandle socket, TimeSpan limit)
    {
        const int SoSndtimeo = 21;
        // struct timeval, whose microseconds have the width of a timespec's nanoseconds.
        var time = new TimeSpec { Seconds = (long)limit.TotalSeconds, Nanoseconds = limit.Microseconds };
        if (Libc.SetSockOpt(socket, SolSocket, SoSndtimeo, in time, (uint)sizeof(TimeSpec)) < 0)
        {
            throw new Win32Exception((int)Libc.LastErrno, "setsockopt failed");
        }
    }

    /// <summary>Keeps a descriptor that this process has inherited from its own children.</summary>
    public static SafeFileHandle TakeInherited(int fd) => Libc.Fcntl(fd, FSetfd, FdCloexec) == 0
        ? new SafeFileHandle(fd, ownsHandle: true)
        : throw new Win32Exception((int)Libc.LastErrno, $"descriptor {fd} was not inherited");

    /// <summary>Waits for one byte with one fd attached.</summary>
    /// <returns>The fd, or null if the peer closed or sent none.</returns>
    public static SafeFileHandle? ReceiveFd(SafeFileHandle socket)
    {
        byte data;
        int fd;
        Received received = Receive(socket, new Span<byte>(&data, 1), new Span<int>(&fd, 1));
        return received.Descriptors == 1 ? new SafeFileHandle(fd, ownsHandle: true) : null;
    }

    /// <summary>Sends bytes, and descriptors with them; waits while the peer's queue is full. What was sent arrives, even if this process ends.</summary>
    /// <returns>False if the peer is gone, or did not read for longer than <see cref="LimitSending"/> allows.</returns>
    public static bool TrySend(SafeHandle socket, ReadOnlySpan<byte> data, ReadOnlySpan<int> descriptors)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(descriptors.Length, DescriptorsMax, nameof(descriptors));
        byte* control = stackalloc byte[ControlBytes(descriptors.Length)];
        *(long*)control = ControlHeader + (descriptors.Length * sizeof(int));
        *(int*)(control + 8) = SolSocket;
        *(int*)(control + 12) = ScmRights;
        descriptors.CopyTo(new Span<int>(control + ControlHeader, descriptors.Length));
        fixed (byte* bytes = data)
        {
            var iov = new Iovec { Base = bytes, Length = (nuint)data.Length };
            var message = new MsgHdr { Iov = &iov, IovLength = 1 };
            if (!descriptors.IsEmpty)
            {
                message.Control = control;
                message.ControlLength = (nuint)ControlBytes(descriptors.Length);
            }

            nint sent;
            do
            {
                sent = Libc.SendMsg(socket, &message, MsgNosignal);
            }
            while (sent < 0 && Libc.LastErrno == Errno.EINTR);
            return sent == data.Length;
        }
    }

    /// <summary>Receives bytes, and the descriptors that came with them.</summary>
    /// <param name="socket">Where from.</param>
    /// <param name="data">Room for the bytes; what does not fit into it of a packet is lost.</param>
    /// <param name="descriptors">Room for descriptors, which belong to the caller; those that do not fit are closed.</param>
    /// <param name="wait">Whether to wait for a message.</param>
    public static Received Receive(SafeHandle socket, Span<byte> data, Span<int> descriptors, bool wait = true)
    {
        byte* control = stackalloc byte[ControlBytes(descriptors.Length)];
        fixed (byte* bytes = data)
        {
            var iov = new Iovec { Base = bytes, Length = (nuint)data.Length };
            var message = new MsgHdr { Iov = &iov, IovLength = 1, Control = control, ControlLength = (nuint)ControlBytes(descriptors.Length) };
            nint length;
            do
            {
                length = Libc.RecvMsg(socket, &message, MsgCmsgCloexec | (wait ? 0 : MsgDontwait));
            }
            while (length < 0 && Libc.LastErrno == Errno.EINTR);
            if (length < 0)
            {
                // A peer that died with messages unread is gone like any other.
                return new Received(Libc.LastErrno == Errno.EAGAIN ? -1 : 0, 0);
            }

            return new Received((int)length, TakeDescriptors(in message, descriptors));
        }
    }

    private static int TakeDescriptors(in MsgHdr message, Span<int> descriptors)
    {
        byte* control = (byte*)message.Control;
        if (message.ControlLength < ControlHeader || *(int*)(control + 8) != SolSocket || *(int*)(control + 12) != ScmRights)
        {
            return 0;
        }

        // Padding may leave room for one more descriptor than was asked for.
        int count = (int)((Math.Min(*(nuint*)control, message.ControlLength) - ControlHeader) / sizeof(int));
        int taken = Math.Min(count, descriptors.Length);
        new ReadOnlySpan<int>(control + ControlHeader, taken).CopyTo(descriptors);
        for (int i = taken; i < count; i++)
        {
            _ = Libc.Close(*(int*)(control + ControlHeader + (i * sizeof(int))));
        }

        return taken;
    }

    private static (SafeFileHandle Ours, int Inherited) Pair(int type)
    {
        int* fds = stackalloc int[2];
        if (Libc.SocketPair(AfUnix, type, 0, fds) < 0 || Libc.Fcntl(fds[0], FSetfd, FdCloexec) < 0)
        {
            throw new Win32Exception((int)Libc.LastErrno, "socketpair failed");
        }

        return (new SafeFileHandle(fds[0], ownsHandle: true), fds[1]);
    }

    private static int ControlBytes(int descriptors) => ControlHeader + (((descriptors * sizeof(int)) + 7) & ~7);
}
