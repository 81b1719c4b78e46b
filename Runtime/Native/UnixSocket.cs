using System.ComponentModel;
using Microsoft.Win32.SafeHandles;

namespace Harness.Runtime.Native;

/// <summary>File descriptors passed over a Unix socket (unix(7), SCM_RIGHTS).</summary>
internal static unsafe class UnixSocket
{
    private const int AfUnix = 1;
    private const int SockStream = 1;
    private const int SolSocket = 1;
    private const int ScmRights = 1;
    private const int MsgCmsgCloexec = 0x40000000;
    private const int FdCloexec = 1;
    private const int FSetfd = 2;

    // struct cmsghdr (16 bytes) and one int, padded to 8 bytes.
    private const int ControlSize = 24;
    private const int ControlLength = 20;

    /// <summary>A connected pair: one end for this process alone, one that a child process inherits under the same number.</summary>
    public static (SafeFileHandle Ours, int Inherited) Pair()
    {
        int* fds = stackalloc int[2];
        if (Libc.SocketPair(AfUnix, SockStream, 0, fds) < 0 || Libc.Fcntl(fds[0], FSetfd, FdCloexec) < 0)
        {
            throw new Win32Exception((int)Libc.LastErrno, "socketpair failed");
        }

        return (new SafeFileHandle(fds[0], ownsHandle: true), fds[1]);
    }

    /// <summary>Waits for one byte with one fd attached.</summary>
    /// <returns>The fd, or null if the peer closed or sent none.</returns>
    public static SafeFileHandle? ReceiveFd(SafeFileHandle socket)
    {
        byte data;
        byte* control = stackalloc byte[ControlSize];
        var iov = new Iovec { Base = &data, Length = 1 };
        var message = new MsgHdr { Iov = &iov, IovLength = 1, Control = control, ControlLength = ControlSize };
        nint received = Libc.RecvMsg((int)socket.DangerousGetHandle(), &message, MsgCmsgCloexec);
        bool carriesFd = received > 0 && message.ControlLength >= ControlLength && *(long*)control == ControlLength &&
            *(int*)(control + 8) == SolSocket && *(int*)(control + 12) == ScmRights;
        return carriesFd ? new SafeFileHandle(*(int*)(control + 16), ownsHandle: true) : null;
    }

    /// <summary>Sends one byte with one fd attached.</summary>
    public static void SendFd(SafeFileHandle socket, SafeFileHandle fd)
    {
        byte data = 0;
        byte* control = stackalloc byte[ControlSize];
        new Span<byte>(control, ControlSize).Clear();
        *(long*)control = ControlLength;
        *(int*)(control + 8) = SolSocket;
        *(int*)(control + 12) = ScmRights;
        *(int*)(control + 16) = (int)fd.DangerousGetHandle();
        var iov = new Iovec { Base = &data, Length = 1 };
        var message = new MsgHdr { Iov = &iov, IovLength = 1, Control = control, ControlLength = ControlSize };
        if (Libc.SendMsg((int)socket.DangerousGetHandle(), &message, 0) < 0)
        {
            throw new Win32Exception((int)Libc.LastErrno, "sendmsg failed");
        }
    }
}
