using System.Buffers.Binary;
using Harness.Runtime.Native;
using Microsoft.Win32.SafeHandles;

namespace Harness.Experiments.Calibration;

/// <summary>What system calls take that have nothing to do with FUSE.</summary>
/// <param name="sampler">Repeats them.</param>
/// <param name="cpu">Where they are made.</param>
internal sealed class CallBenchmarks(Sampler sampler, int cpu)
{
    private const int Calls = 20_000;
    private const int LargeCalls = 100;
    private const int Page = 4096;
    private const int Large = 1 << 20;
    private const string SharedMemory = "/dev/shm";

    /// <summary>A system call that does nothing.</summary>
    public Figure SystemCall() =>
        sampler.Each(cpu, Calls, static () => Libc.Syscall(Numbers.Getppid, 0, 0, 0, 0, 0, 0), $"measured here: getppid, median of batches of {Calls}");

    /// <summary>Copying a page, which the cache holds.</summary>
    public Figure CopyPage() => Copy(Page, Calls, "measured here: memcpy of 4 KiB that lie in the cache");

    /// <summary>Copying 1 MiB, which the shared cache holds.</summary>
    public Figure CopyLarge() => Copy(Large, LargeCalls, "measured here: memcpy of 1 MiB");

    /// <summary>Finding, holding and releasing a page of a process's memory.</summary>
    public Figure PinnedPage()
    {
        using var memory = new NativeBuffer(2 * Large + Page);
        memory.GetSpan().Fill(1);
        Figure one = Across(memory, Page, Calls);
        Figure many = Across(memory, Large, LargeCalls);
        const int pages = (Large / Page) - 1;
        Figure copied = CopyLarge().Times((double)pages * Page / Large);
        return many.Less("", one, copied).Times(1.0 / pages,
            "measured here: process_vm_readv of 1 MiB less that of 4 KiB and less memcpy, per page: pages held in the process, as by direct I/O");
    }

    /// <summary>Reading 4 KiB of a file in shared memory.</summary>
    public Figure ReadShared()
    {
        using var file = new SharedFile(Large);
        return sampler.Each(cpu, Calls, () => file.Read(Page), "");
    }

    /// <summary>Finding a page in the page cache.</summary>
    public Figure CachedPage()
    {
        const int pages = 16;
        using var file = new SharedFile(Large);
        Figure one = sampler.Each(cpu, Calls, () => file.Read(Page), "");
        Figure several = sampler.Each(cpu, Calls / pages, () => file.Read(pages * Page), "");
        Figure copied = CopyPage().Times(pages - 1);
        return several.Less("", one, copied)
            .Times(1.0 / (pages - 1), "measured here: pread of 64 KiB of a file in shared memory less that of 4 KiB and less memcpy, per page");
    }

    /// <summary>Setting up an asynchronous read and telling of its end.</summary>
    public Figure AsyncIo(Figure systemCall)
    {
        using var file = new SharedFile(Large);
        Figure plain = sampler.Each(cpu, Calls, () => file.Read(Page), "");
        Figure asynchronous = sampler.Each(cpu, Calls, file.ReadAsync, "");
        return asynchronous.Less(
            "measured here: io_submit and io_getevents of a 4 KiB read in shared memory, less pread and a system call", plain, systemCall);
    }

    private Figure Copy(int bytes, int calls, string source)
    {
        using var memory = new NativeBuffer(2 * Large);
        memory.GetSpan().Fill(1);
        return sampler.Each(cpu, calls, () => memory.GetSpan()[..bytes].CopyTo(memory.GetSpan()[Large..]), source);
    }

    private Figure Across(NativeBuffer memory, int bytes, int calls)
    {
        nint vectors = memory.Address + (2 * Large);
        Span<byte> all = memory.GetSpan()[(2 * Large)..];
        BinaryPrimitives.WriteInt64LittleEndian(all, memory.Address);
        BinaryPrimitives.WriteInt64LittleEndian(all[8..], bytes);
        BinaryPrimitives.WriteInt64LittleEndian(all[16..], memory.Address + Large);
        BinaryPrimitives.WriteInt64LittleEndian(all[24..], bytes);
        return sampler.Each(
            cpu, calls, () => Libc.Syscall(Numbers.ProcessVmReadv, Environment.ProcessId, vectors, 1, vectors + 16, 1, 0), "");
    }

    /// <summary>Numbers of x86-64 that conformance does not need.</summary>
    internal static class Numbers
    {
        public const long Nanosleep = 35;
        public const long Getppid = 110;
        public const long SchedSetscheduler = 144;
        public const long ClockGettime = 228;
        public const long Getcpu = 309;
        public const long ProcessVmReadv = 310;
    }

    /// <summary>A file in shared memory, which no disk and no FUSE is behind.</summary>
    private sealed class SharedFile : IDisposable
    {
        private const int ControlOffset = 0;
        private const int PointerOffset = 64;
        private const int EventOffset = 128;
        private const int ContextOffset = 192;
        private const int DataOffset = Page;

        private readonly NativeBuffer _memory;
        private readonly SafeFileHandle _file;
        private readonly string _path = Path.Combine(SharedMemory, $"harness-calibrate-{Environment.ProcessId}");
        private readonly nint _context;

        public SharedFile(int bytes)
        {
            _memory = new NativeBuffer(DataOffset + bytes);
            File.WriteAllBytes(_path, new byte[bytes]);
            _file = File.OpenHandle(_path, FileMode.Open, FileAccess.ReadWrite);
            Span<byte> all = _memory.GetSpan();
            Libc.Syscall(Conformance.SystemCall.IoSetup, 1, _memory.Address + ContextOffset, 0, 0, 0, 0);
            _context = (nint)BinaryPrimitives.ReadInt64LittleEndian(all[ContextOffset..]);
            BinaryPrimitives.WriteInt32LittleEndian(all[(ControlOffset + 20)..], Descriptor);
            BinaryPrimitives.WriteInt64LittleEndian(all[(ControlOffset + 24)..], _memory.Address + DataOffset);
            BinaryPrimitives.WriteInt64LittleEndian(all[(ControlOffset + 32)..], Page);
            BinaryPrimitives.WriteInt64LittleEndian(all[PointerOffset..], _memory.Address + ControlOffset);
        }

        private int Descriptor => (int)_file.DangerousGetHandle();

        public void Read(int bytes) => Libc.Syscall(Conformance.SystemCall.Pread, Descriptor, _memory.Address + DataOffset, bytes, 0, 0, 0);

        public void ReadAsync()
        {
            Libc.Syscall(Conformance.SystemCall.IoSubmit, _context, 1, _memory.Address + PointerOffset, 0, 0, 0);
            Libc.Syscall(Conformance.SystemCall.IoGetevents, _context, 1, 1, _memory.Address + EventOffset, 0, 0);
        }

        public void Dispose()
        {
            Libc.Syscall(Conformance.SystemCall.IoDestroy, _context, 0, 0, 0, 0, 0);
            _file.Dispose();
            File.Delete(_path);
            ((IDisposable)_memory).Dispose();
        }
    }
}
