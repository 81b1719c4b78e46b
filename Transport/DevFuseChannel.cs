using System.Runtime.ExceptionServices;
using Harness.FuseProtocol;
using Microsoft.Win32.SafeHandles;

namespace Harness.Transport;

/// <summary>What a <see cref="DevFuseChannel"/> is made of.</summary>
public sealed record DevFuseOptions
{
    /// <summary>Threads that read requests (default 2).</summary>
    public int Threads { get; init; } = 2;

    /// <summary>Largest data of one message, in bytes: at least the session's <c>MaxWrite</c>.</summary>
    public int MessageBytes { get; init; } = 1 << 20;

    /// <summary>
    /// Requests a thread may have handed out and not seen answered, after which it reads no more (default 1024). A slot takes address space
    /// of one message, and memory of as much of it as its largest message touched.
    /// </summary>
    public int SlotsMax { get; init; } = 1024;
}

/// <summary>The kernel's FUSE device, read by threads that share one fd.</summary>
public sealed class DevFuseChannel : IFuseChannel, IDisposable
{
    private readonly SafeFileHandle _device;
    private readonly DevFuseReader[] _readers;

    /// <summary>A channel on a mounted device, which it borrows: the mount closes it.</summary>
    public DevFuseChannel(SafeFileHandle device, DevFuseOptions options)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Threads, 1, nameof(options));
        bool added = false;
        device.DangerousAddRef(ref added);
        _device = device;
        _readers = new DevFuseReader[options.Threads];
        for (int i = 0; i < _readers.Length; i++)
        {
            _readers[i] = new DevFuseReader((int)device.DangerousGetHandle(), options.MessageBytes, options.SlotsMax);
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

        _device.DangerousRelease();
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
