using System.Runtime.ExceptionServices;
using Harness.FuseProtocol;
using Harness.Runtime;
using Microsoft.Win32.SafeHandles;

namespace Harness.Transport;

/// <summary>What a <see cref="DevFuseChannel"/> is made of.</summary>
public sealed record DevFuseOptions
{
    /// <summary>Threads that read requests (default 2).</summary>
    public int Threads { get; init; } = 2;

    /// <summary>Whether each thread reads a cloned fd of its own, which spares it the lock of the shared processing queue.</summary>
    public bool ClonePerThread { get; init; }

    /// <summary>Largest data of one message, in bytes: at least the session's <c>MaxWrite</c>.</summary>
    public int MessageBytes { get; init; } = 1 << 20;

    /// <summary>
    /// Requests a thread may have handed out and not seen answered, after which it reads no more (default 1024). A slot takes address space
    /// of one message, and memory of as much of it as its largest message touched.
    /// </summary>
    public int SlotsMax { get; init; } = 1024;

    /// <summary>
    /// Whether all slots' memory is there before a message comes, and stays (default no): so that a process that is killed while the kernel
    /// copies from or to it does not fail the request that a successor could still answer.
    /// </summary>
    public bool ResidentBuffers { get; init; }

    /// <summary>
    /// How long a thread that has nothing to do asks again before it sleeps (default 50 µs; 0 not at all). It takes a clone of the device, so
    /// that a request may come by either.
    /// </summary>
    public TimeSpan Spin { get; init; } = TimeSpan.FromMicroseconds(50);

    /// <summary>Where the threads run; they are dealt out to CPUs or nodes in turn.</summary>
    public Affinity Affinity { get; init; }

    /// <summary>The machine.</summary>
    public Topology Topology { get; init; } = Topology.Current;
}

/// <summary>The kernel's FUSE device, read by threads that share one fd or have a clone of it each.</summary>
public sealed class DevFuseChannel : IFuseChannel
{
    private readonly IReadOnlyList<SafeFileHandle> _clones;
    private readonly SafeFileHandle? _polled;
    private readonly DevFuseReader[] _readers;

    /// <summary>A channel on a mounted device, which it borrows: the mount closes it.</summary>
    /// <exception cref="FuseTransportException">The fd could not be cloned.</exception>
    public DevFuseChannel(SafeFileHandle device, DevFuseOptions options)
        : this([device], options.ClonePerThread ? FuseDevice.Clone(device, options.Threads - 1) : [], options)
    {
    }

    /// <summary>A channel on a connection's fds, which it borrows: the device itself, or it and its clones. Threads are dealt out to them in turn.</summary>
    /// <remarks>Nobody spins: a request that came by a clone of this process's own would end with the process.</remarks>
    public DevFuseChannel(IReadOnlyList<SafeFileHandle> devices, DevFuseOptions options)
        : this(devices, [], options with { Spin = TimeSpan.Zero })
    {
    }

    private DevFuseChannel(IReadOnlyList<SafeFileHandle> devices, IReadOnlyList<SafeFileHandle> clones, DevFuseOptions options)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Threads, 1, nameof(options));
        _clones = clones;
        _polled = options.Spin > TimeSpan.Zero ? FuseDevice.CloneNonblocking(devices[0]) : null;
        SafeFileHandle[] all = [.. devices, .. clones];
        var turn = new SpinTurn();
        _readers = new DevFuseReader[options.Threads];
        for (int i = 0; i < _readers.Length; i++)
        {
            var placement = ReaderPlacement.For(i, options.Affinity, options.Topology);
            _readers[i] = new DevFuseReader(all[i % all.Length], _polled, turn, placement, options);
        }
    }

    /// <summary>Replies that the kernel did not take, for another reason than that nobody waits for them any more.</summary>
    public long RepliesFailed => _readers.Sum(reader => reader.RepliesFailed);

    /// <inheritdoc/>
    /// <remarks>A read of the device cannot be cancelled: to stop at once, abort the connection.</remarks>
    public void Run(IRequestHandler handler, CancellationToken cancellationToken)
    {
        ExceptionDispatchInfo? fault = null;
        var threads = new Thread[_readers.Length];
        for (int i = 0; i < threads.Length; i++)
        {
            DevFuseReader reader = _readers[i];
            threads[i] = new Thread(() => RunReader(reader, handler, ref fault, cancellationToken)) { IsBackground = true, Name = $"fuse-{i}" };
            threads[i].Start();
        }

        foreach (Thread thread in threads)
        {
            thread.Join();
        }

        fault?.Throw();
    }

    /// <summary>Lets go of the device and the slots. Requests that are still out may be answered after this; the answers go nowhere.</summary>
    public void Dispose()
    {
        foreach (DevFuseReader reader in _readers)
        {
            reader.Dispose();
        }

        foreach (SafeFileHandle clone in _clones)
        {
            clone.Dispose();
        }

        _polled?.Dispose();
    }

    private static void RunReader(
        DevFuseReader reader, IRequestHandler handler, ref ExceptionDispatchInfo? fault, CancellationToken cancellationToken)
    {
        try
        {
            reader.Run(handler, cancellationToken);
        }
#pragma warning disable CA1031 // It is thrown again on the thread that called Run.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            Interlocked.CompareExchange(ref fault, ExceptionDispatchInfo.Capture(exception), null);
        }
    }
}
