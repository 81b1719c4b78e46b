using System.ComponentModel;
using Microsoft.Win32.SafeHandles;
using Mono.Unix.Native;

namespace Harness.Runtime.Native;

/// <summary>A file of tracefs that is read without waiting: <c>per_cpu/cpuN/trace_pipe_raw</c> (Documentation/trace/ftrace.rst).</summary>
internal sealed unsafe class TraceFile : IDisposable
{
    private const int ORdonlyNonblockCloexec = 0x80800;

    private readonly SafeFileHandle _handle;

    /// <summary>Opens the file.</summary>
    /// <exception cref="Win32Exception">It cannot be opened.</exception>
    public TraceFile(string path)
    {
        int fd = Libc.Open(path, ORdonlyNonblockCloexec, 0);
        _handle = fd >= 0 ? new SafeFileHandle(fd, ownsHandle: true) : throw new Win32Exception((int)Libc.LastErrno, $"{path}: {Libc.LastErrno}");
    }

    /// <summary>Reads what is there.</summary>
    /// <returns>How many bytes; 0 if there is nothing.</returns>
    public int Read(Span<byte> buffer)
    {
        fixed (byte* start = buffer)
        {
            nint length = Libc.Read((int)_handle.DangerousGetHandle(), start, (nuint)buffer.Length);
            return length >= 0 || Libc.LastErrno is Errno.EAGAIN or Errno.EINTR
                ? (int)Math.Max(0, length)
                : throw new Win32Exception((int)Libc.LastErrno, $"reading the trace failed: {Libc.LastErrno}");
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _handle.Dispose();
}
