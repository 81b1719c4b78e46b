using System.Runtime.InteropServices;

namespace Harness.Runtime.Native;

/// <summary>The io_uring system calls and the constants used here (include/uapi/linux/io_uring.h).</summary>
internal static unsafe class IoUring
{
    public const uint SetupCoopTaskrun = 1 << 8;
    public const uint SetupTaskrunFlag = 1 << 9;
    public const uint SetupSqe128 = 1 << 10;
    public const uint SetupSingleIssuer = 1 << 12;
    public const uint SetupDeferTaskrun = 1 << 13;

    public const uint EnterGetEvents = 1;
    public const uint SqTaskrun = 1 << 2;

    public const byte OpRead = 22;
    public const byte OpUringCmd = 46;

    public const nint OffSqRing = 0;
    public const nint OffSqes = 0x10000000;

    /// <summary>Makes a ring; returns its fd.</summary>
    public static int Setup(uint entries, Params* parameters) => (int)Libc.Syscall(Libc.SysIoUringSetup, (nint)entries, (nint)parameters, 0, 0, 0, 0);

    /// <summary>Submits, and waits for <paramref name="waitFor"/> completions with <see cref="EnterGetEvents"/>.</summary>
    public static int Enter(int fd, uint submit, uint waitFor, uint flags) =>
        (int)Libc.Syscall(Libc.SysIoUringEnter, fd, (nint)submit, (nint)waitFor, (nint)flags, 0, 0);

    /// <summary><c>struct io_uring_params</c>, 120 bytes.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct Params
    {
        public uint SqEntries;
        public uint CqEntries;
        public uint Flags;
        public uint SqThreadCpu;
        public uint SqThreadIdle;
        public uint Features;
        public uint WqFd;
        public fixed uint Reserved[3];
        public SqOffsets SqOff;
        public CqOffsets CqOff;
    }

    /// <summary><c>struct io_sqring_offsets</c>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct SqOffsets
    {
        public uint Head;
        public uint Tail;
        public uint RingMask;
        public uint RingEntries;
        public uint Flags;
        public uint Dropped;
        public uint Array;
        public uint Reserved;
        public ulong UserAddr;
    }

    /// <summary><c>struct io_cqring_offsets</c>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct CqOffsets
    {
        public uint Head;
        public uint Tail;
        public uint RingMask;
        public uint RingEntries;
        public uint Overflow;
        public uint Cqes;
        public uint Flags;
        public uint Reserved;
        public ulong UserAddr;
    }

    /// <summary><c>struct io_uring_sqe</c> with SQE128: 128 bytes, of which the last 80 are a command's own.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 128)]
    public struct Sqe
    {
        [FieldOffset(0)]
        public byte Opcode;

        [FieldOffset(4)]
        public int Fd;

        /// <summary>The file offset, or a command's number.</summary>
        [FieldOffset(8)]
        public ulong Offset;

        [FieldOffset(16)]
        public ulong Address;

        [FieldOffset(24)]
        public uint Length;

        [FieldOffset(32)]
        public ulong UserData;

        [FieldOffset(48)]
        public fixed byte Command[80];
    }

    /// <summary><c>struct io_uring_cqe</c>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct Cqe
    {
        public ulong UserData;
        public int Result;
        public uint Flags;
    }
}
