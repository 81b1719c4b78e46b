using System.Buffers;
using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using Mono.Unix.Native;

namespace Harness.Runtime.Native;

/// <summary>
/// A stream socket that never blocks, TCP (tcp(7)) or, within one host, Unix (unix(7)). Results are as the system calls give them: a count, or
/// −1 and an errno.
/// </summary>
internal sealed unsafe class StreamSocket : FileDescriptor
{
    /// <summary>The most pieces that one <see cref="Send"/> takes.</summary>
    public const int PartsMax = 16;

    private const int AfUnix = 1;
    private const int AfInet = 2;
    private const int AfInet6 = 10;
    private const int SockStreamNonblockCloexec = 0x80801;
    private const int NonblockCloexec = 0x80800;
    private const int MsgDontwaitNosignal = 0x4040;
    private const int SolSocket = 1;
    private const int SoReuseAddr = 2;
    private const int SoError = 4;
    private const int SoSndBuf = 7;
    private const int SoSndBufForce = 32;

    /// <summary>
    /// What a Unix socket takes before its sender has to wait: by default 208 KiB, and then until three quarters of it were read, so that the two sides
    /// take turns instead of working at once.
    /// </summary>
    private const int LocalSendBytes = 1 << 20;

    private const int IpprotoTcp = 6;
    private const int TcpNodelay = 1;
    private const int TcpUserTimeout = 18;
    private const int AddressBytesMax = 110;
    private const int Backlog = 1024;

    private StreamSocket(int fd)
        : base(fd)
    {
    }

    /// <summary>Listens on an address, with a port of the kernel's choice if that is 0.</summary>
    public static Errno Listen(IPEndPoint address, out StreamSocket? socket)
    {
        Span<byte> name = stackalloc byte[AddressBytesMax];
        uint length = Write(address, name);
        socket = Open(address);
        // A server that restarts finds its port again, although the kernel still remembers old connections of it.
        if (socket is not null && socket.Set(SolSocket, SoReuseAddr, 1) && Libc.Bind(socket, name, length) == 0 && Libc.Listen(socket, Backlog) == 0)
        {
            return 0;
        }

        Errno error = Libc.LastErrno;
        socket?.Dispose();
        socket = null;
        return error;
    }

    /// <summary>Begins to connect; the socket becomes writable when that has ended, and <see cref="ConnectError"/> tells how.</summary>
    public static Errno Connect(IPEndPoint address, out StreamSocket? socket)
    {
        Span<byte> name = stackalloc byte[AddressBytesMax];
        uint length = Write(address, name);
        socket = Open(address);
        if (socket is not null && (Libc.Connect(socket, name, length) == 0 || Libc.LastErrno == Errno.EINPROGRESS))
        {
            socket.TuneConnection();
            return 0;
        }

        Errno error = Libc.LastErrno;
        socket?.Dispose();
        socket = null;
        return error;
    }

    /// <summary>Listens under a name in the network namespace's abstract space, which leaves nothing behind.</summary>
    public static Errno Listen(string name, out StreamSocket? socket)
    {
        Span<byte> address = stackalloc byte[AddressBytesMax];
        uint length = Write(name, address);
        int fd = Libc.Socket(AfUnix, SockStreamNonblockCloexec, 0);
        socket = fd < 0 ? null : new StreamSocket(fd);
        if (socket is not null && Libc.Bind(socket, address, length) == 0 && Libc.Listen(socket, Backlog) == 0)
        {
            return 0;
        }

        Errno error = Libc.LastErrno;
        socket?.Dispose();
        socket = null;
        return error;
    }

    /// <summary>Connects to a name in the abstract space, at once or not at all.</summary>
    public static StreamSocket? Connect(string name)
    {
        Span<byte> address = stackalloc byte[AddressBytesMax];
        uint length = Write(name, address);
        int fd = Libc.Socket(AfUnix, SockStreamNonblockCloexec, 0);
        if (fd < 0)
        {
            return null;
        }

        var socket = new StreamSocket(fd);
        if (Libc.Connect(socket, address, length) == 0)
        {
            socket.TuneLocal();
            return socket;
        }

        socket.Dispose();
        return null;
    }

    /// <summary>Takes the next connection; null with EAGAIN if there is none.</summary>
    public StreamSocket? Accept(out IPEndPoint? remote, out Errno error)
    {
        Span<byte> name = stackalloc byte[AddressBytesMax];
        uint length = AddressBytesMax;
        int fd = Libc.Accept4(this, name, ref length, NonblockCloexec);
        remote = null;
        error = fd < 0 ? Libc.LastErrno : 0;
        if (fd < 0)
        {
            return null;
        }

        var accepted = new StreamSocket(fd);
        if (MemoryMarshal.Read<ushort>(name) == AfUnix)
        {
            remote = new IPEndPoint(IPAddress.Loopback, 0);
            accepted.TuneLocal();
            return accepted;
        }

        remote = Read(name);
        accepted.TuneConnection();
        return accepted;
    }

    /// <summary>How connecting has ended.</summary>
    public Errno ConnectError()
    {
        int error = 0;
        uint length = sizeof(int);
        return Libc.GetSockOpt(this, SolSocket, SoError, ref error, ref length) < 0 ? Libc.LastErrno : (Errno)error;
    }

    /// <summary>The address it is bound to.</summary>
    public IPEndPoint LocalAddress()
    {
        Span<byte> name = stackalloc byte[AddressBytesMax];
        uint length = AddressBytesMax;
        _ = Libc.GetSockName(this, name, ref length);
        return Read(name);
    }

    /// <summary>Sends some of <paramref name="parts"/>, from the first on (sendmsg(2)).</summary>
    public nint Send(ReadOnlySpan<ReadOnlyMemory<byte>> parts)
    {
        Iovec* vector = stackalloc Iovec[PartsMax];
        var pinned = new Pins();
        Span<MemoryHandle> pins = pinned;
        int count = Math.Min(parts.Length, PartsMax);
        for (int i = 0; i < count; i++)
        {
            pins[i] = parts[i].Pin();
            vector[i] = new Iovec { Base = pins[i].Pointer, Length = (nuint)parts[i].Length };
        }

        var message = new MsgHdr { Iov = vector, IovLength = (nuint)count };
        nint sent = Libc.SendMsg(this, &message, MsgDontwaitNosignal);
        for (int i = 0; i < count; i++)
        {
            pins[i].Dispose();
        }

        return sent;
    }

    /// <summary>Receives into <paramref name="first"/>, and what it has no room for into <paramref name="second"/> (recvmsg(2)).</summary>
    public nint Receive(Span<byte> first, Span<byte> second)
    {
        fixed (byte* one = first)
        {
            fixed (byte* two = second)
            {
                Iovec* vector = stackalloc Iovec[2];
                vector[0] = new Iovec { Base = one, Length = (nuint)first.Length };
                vector[1] = new Iovec { Base = two, Length = (nuint)second.Length };
                var message = new MsgHdr { Iov = vector, IovLength = 2 };
                return Libc.RecvMsg(this, &message, MsgDontwaitNosignal);
            }
        }
    }

    private static StreamSocket? Open(IPEndPoint address)
    {
        int fd = Libc.Socket(address.AddressFamily == AddressFamily.InterNetworkV6 ? AfInet6 : AfInet, SockStreamNonblockCloexec, 0);
        return fd < 0 ? null : new StreamSocket(fd);
    }

    private bool Set(int level, int name, int value) => Libc.SetSockOpt(this, level, name, value, sizeof(int)) == 0;

    private void TuneConnection()
    {
        // Frames go out whole, by one call: waiting for more to send (RFC 896) would only add the other side's delayed acknowledgement.
        _ = Set(IpprotoTcp, TcpNodelay, 1);
        // A peer that acknowledges nothing for so long is given up by the kernel too (RFC 5482).
        _ = Set(IpprotoTcp, TcpUserTimeout, 30_000);
    }

    private void TuneLocal()
    {
        // Beyond net.core.wmem_max only with CAP_NET_ADMIN; without it, as much as there is.
        if (!Set(SolSocket, SoSndBufForce, LocalSendBytes))
        {
            _ = Set(SolSocket, SoSndBuf, LocalSendBytes);
        }
    }

    /// <summary>Writes <c>struct sockaddr_un</c> of an abstract name; returns its length.</summary>
    private static uint Write(string name, Span<byte> address)
    {
        address.Clear();
        MemoryMarshal.Write(address, (ushort)AfUnix);
        return 3 + (uint)Encoding.UTF8.GetBytes(name, address[3..]);
    }

    /// <summary>Writes <c>struct sockaddr_in</c> or <c>sockaddr_in6</c>; returns its length.</summary>
    private static uint Write(IPEndPoint address, Span<byte> name)
    {
        name.Clear();
        bool six = address.AddressFamily == AddressFamily.InterNetworkV6;
        MemoryMarshal.Write(name, (ushort)(six ? AfInet6 : AfInet));
        BinaryPrimitives.WriteUInt16BigEndian(name[2..], (ushort)address.Port);
        _ = address.Address.TryWriteBytes(name[(six ? 8 : 4)..], out _);
        return six ? 28u : 16u;
    }

    private static IPEndPoint Read(ReadOnlySpan<byte> name)
    {
        bool six = MemoryMarshal.Read<ushort>(name) == AfInet6;
        var address = new IPAddress(six ? name.Slice(8, 16) : name.Slice(4, 4));
        return new IPEndPoint(address, BinaryPrimitives.ReadUInt16BigEndian(name[2..]));
    }

    [InlineArray(PartsMax)]
    private struct Pins
    {
        private MemoryHandle _element;
    }
}
