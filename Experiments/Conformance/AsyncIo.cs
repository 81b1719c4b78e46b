using System.Buffers.Binary;
using Harness.Runtime.Native;

namespace Harness.Experiments.Conformance;

/// <summary>Linux's asynchronous I/O, one burst at a time: io_setup(2), io_submit(2), io_getevents(2).</summary>
internal static class AsyncIo
{
    private const int ControlBytes = 64;
    private const int EventBytes = 32;
    private const int PointerBytes = 8;

    /// <summary>Submits a burst in one call and waits for all of it.</summary>
    /// <param name="file">A descriptor.</param>
    /// <param name="isWrite">Whether it writes.</param>
    /// <param name="data">Where the data of the first one lie; the others follow.</param>
    /// <param name="offset">Where in the file the burst begins.</param>
    /// <param name="size">Bytes of each.</param>
    /// <param name="count">How many.</param>
    /// <param name="place">The place in the file of each, in units of <paramref name="size"/>.</param>
    /// <returns>The sum of all results, or an errno negated.</returns>
    public static long Run(int file, bool isWrite, nint data, long offset, int size, int count, Func<int, long> place)
    {
        using var memory = new NativeBuffer(PointerBytes + (count * (ControlBytes + PointerBytes + EventBytes)));
        Span<byte> all = memory.GetSpan();
        int controls = PointerBytes;
        int pointers = controls + (count * ControlBytes);
        int events = pointers + (count * PointerBytes);
        for (int i = 0; i < count; i++)
        {
            Span<byte> control = all.Slice(controls + (i * ControlBytes), ControlBytes);
            BinaryPrimitives.WriteInt16LittleEndian(control[16..], (short)(isWrite ? 1 : 0));
            BinaryPrimitives.WriteInt32LittleEndian(control[20..], file);
            BinaryPrimitives.WriteInt64LittleEndian(control[24..], data + ((long)i * size));
            BinaryPrimitives.WriteInt64LittleEndian(control[32..], size);
            BinaryPrimitives.WriteInt64LittleEndian(control[40..], offset + (place(i) * size));
            BinaryPrimitives.WriteInt64LittleEndian(all[(pointers + (i * PointerBytes))..], memory.Address + controls + (i * ControlBytes));
        }

        if (Libc.Syscall(SystemCall.IoSetup, count, memory.Address, 0, 0, 0, 0) < 0)
        {
            return -(long)Libc.LastErrno;
        }

        nint context = (nint)BinaryPrimitives.ReadInt64LittleEndian(all);
        try
        {
            return Submit(memory, context, pointers, events, count);
        }
        finally
        {
            Libc.Syscall(SystemCall.IoDestroy, context, 0, 0, 0, 0, 0);
        }
    }

    private static long Submit(NativeBuffer memory, nint context, int pointers, int events, int count)
    {
        long submitted = Libc.Syscall(SystemCall.IoSubmit, context, count, memory.Address + pointers, 0, 0, 0);
        if (submitted < 0)
        {
            return -(long)Libc.LastErrno;
        }

        long got = Libc.Syscall(SystemCall.IoGetevents, context, (nint)submitted, (nint)submitted, memory.Address + events, 0, 0);
        long sum = 0;
        for (int i = 0; i < got; i++)
        {
            sum += BinaryPrimitives.ReadInt64LittleEndian(memory.GetSpan()[(events + (i * EventBytes) + 16)..]);
        }

        return sum;
    }
}
