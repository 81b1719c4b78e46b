using System.ComponentModel;
using System.Globalization;
using System.Text;
using Harness.Runtime.Native;
using Harness.Transport;

namespace Harness.Experiments.Observing.Kernel;

/// <summary>
/// The kernel's own account of one FUSE connection: tracepoints of requests, of the threads that serve and wait for them, and of those
/// threads' system calls, in an instance of tracefs that is this object's own and disappears with it.
/// </summary>
/// <remarks>Times are CLOCK_MONOTONIC, the daemon's clock. Only what is asked for is traced: filters run in the kernel.</remarks>
internal sealed class KernelTrace : IDisposable
{
    /// <summary>Threads that a filter may name; with more, switches are traced unfiltered and system calls not at all.</summary>
    public const int ThreadsMax = 64;

    private const string NamePrefix = "harness-";
    private const int BufferBytesTotal = 64 << 20;
    private const int BufferBytesPerCpuMin = 1 << 20;
    private const int PageBytesMax = 64 << 10;

    private static readonly (KernelEventKind Kind, string Name)[] s_tracepoints =
    [
        (KernelEventKind.RequestSend, "fuse/fuse_request_send"),
        (KernelEventKind.RequestEnd, "fuse/fuse_request_end"),
        (KernelEventKind.SwitchIn, "sched/sched_switch"),
        (KernelEventKind.SyscallEnter, "raw_syscalls/sys_enter"),
        (KernelEventKind.SyscallExit, "raw_syscalls/sys_exit"),
    ];

    private readonly Tracefs _tracefs;
    private readonly string _root;
    private readonly Dictionary<int, EventFormat> _formats = [];
    private readonly List<TraceFile> _buffers = [];

    private KernelTrace(Tracefs tracefs, uint connection)
    {
        _tracefs = tracefs;
        _root = Path.Combine(tracefs.Root, "instances", $"{NamePrefix}{Environment.ProcessId}-{connection}");
    }

    /// <summary>Prepares to trace a connection.</summary>
    /// <param name="connection">Its number, which is the mount's device number.</param>
    /// <exception cref="FuseTransportException">This machine or user cannot; the message says what to do.</exception>
    public static KernelTrace Open(uint connection)
    {
        var trace = new KernelTrace(Tracefs.Open(), connection);
        try
        {
            trace.Prepare(connection);
            return trace;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or Win32Exception or FormatException)
        {
            trace.Dispose();
            throw new FuseTransportException($"the kernel's tracepoints could not be set up: {exception.Message}", exception);
        }
        catch
        {
            trace.Dispose();
            throw;
        }
    }

    /// <summary>Names the threads whose switches, and perhaps system calls, are traced from the next <see cref="Begin"/> on.</summary>
    /// <param name="threads">Those of the daemon and those that send requests.</param>
    /// <param name="callers">Those of them whose system calls are wanted; none for nobody's.</param>
    public void Watch(IReadOnlyCollection<int> threads, IReadOnlyCollection<int> callers)
    {
        Write("events/sched/sched_switch/filter", threads.Count is > 0 and <= ThreadsMax ? AnyOf("next_pid", threads) : "0");
        Write("events/sched/sched_switch/enable", "1");
        bool traced = callers.Count is > 0 and <= ThreadsMax;
        foreach (string name in (string[])["sys_enter", "sys_exit"])
        {
            if (traced)
            {
                Write($"events/raw_syscalls/{name}/filter", AnyOf("common_pid", callers));
            }

            Write($"events/raw_syscalls/{name}/enable", traced ? "1" : "0");
        }
    }

    /// <summary>Begins to trace into empty buffers.</summary>
    public void Begin()
    {
        Clear();
        Write("tracing_on", "1");
    }

    /// <summary>Ends it.</summary>
    /// <returns>What was traced, in the order of time.</returns>
    public List<KernelEvent> End()
    {
        Write("tracing_on", "0");
        var events = new List<KernelEvent>();
        var page = new byte[PageBytesMax];
        foreach (TraceFile buffer in _buffers)
        {
            for (int length = buffer.Read(page); length > 0; length = buffer.Read(page))
            {
                TracePage.Decode(page.AsSpan(0, length), _formats, events);
            }
        }

        events.Sort((left, right) => left.Time.CompareTo(right.Time));
        return events;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (TraceFile buffer in _buffers)
        {
            buffer.Dispose();
        }

        Remove(_root);
        _tracefs.Dispose();
    }

    private static string AnyOf(string field, IEnumerable<int> threads) =>
        string.Join(" || ", threads.Select(thread => string.Create(CultureInfo.InvariantCulture, $"{field} == {thread}")));

    // Directories of tracefs go by rmdir(2), with all their files in them.
    private static void Remove(string instance)
    {
        if (Directory.Exists(instance))
        {
            _ = Mono.Unix.Native.Syscall.rmdir(instance);
        }
    }

    private void Prepare(uint connection)
    {
        string events = Path.Combine(_tracefs.Root, "events");
        if (!Directory.Exists(Path.Combine(events, "fuse")))
        {
            throw new FuseTransportException("this kernel has no tracepoints for FUSE: they came with Linux 6.12, and the module fuse must be loaded");
        }

        RemoveLeftovers();
        Directory.CreateDirectory(_root);
        Write("tracing_on", "0");
        Write("trace_clock", "mono");
        int cpus = Directory.GetDirectories(Path.Combine(_root, "per_cpu")).Length;
        Write("buffer_size_kb", $"{Math.Max(BufferBytesPerCpuMin, BufferBytesTotal / cpus) >> 10}");
        // The first events are kept when a buffer is full, as the daemon keeps its first requests.
        Write("options/overwrite", "0");
        foreach ((KernelEventKind kind, string name) in s_tracepoints)
        {
            var format = EventFormat.Parse(kind, File.ReadAllText(Path.Combine(events, name, "format")));
            _formats.Add(format.Id, format);
            if (name.StartsWith("fuse/", StringComparison.Ordinal))
            {
                Write($"events/{name}/filter", $"connection == {connection}");
                Write($"events/{name}/enable", "1");
            }
        }

        foreach (string cpu in Directory.GetDirectories(Path.Combine(_root, "per_cpu")))
        {
            _buffers.Add(new TraceFile(Path.Combine(cpu, "trace_pipe_raw")));
        }
    }

    /// <summary>Removes instances whose process was killed.</summary>
    private void RemoveLeftovers()
    {
        foreach (string instance in Directory.GetDirectories(Path.GetDirectoryName(_root)!, $"{NamePrefix}*"))
        {
            string process = Path.GetFileName(instance)[NamePrefix.Length..].Split('-')[0];
            if (process.All(char.IsAsciiDigit) && !Directory.Exists($"/proc/{process}"))
            {
                Remove(instance);
            }
        }
    }

    private void Write(string file, string text)
    {
        using var stream = new FileStream(Path.Combine(_root, file), FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
        stream.Write(Encoding.ASCII.GetBytes(text));
    }

    // Opening the text of the trace with O_TRUNC empties the buffers (Documentation/trace/ftrace.rst); the framework truncates otherwise.
    private void Clear()
    {
        const int OWronlyTruncCloexec = 0x80201;
        _ = Libc.Close(Libc.Open(Path.Combine(_root, "trace"), OWronlyTruncCloexec, 0));
    }
}
