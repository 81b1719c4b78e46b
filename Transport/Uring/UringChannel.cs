using System.Runtime.ExceptionServices;
using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;
using Harness.Runtime;
using Microsoft.Win32.SafeHandles;

namespace Harness.Transport.Uring;

/// <summary>FUSE over io_uring (Documentation/filesystems/fuse/fuse-io-uring.rst): a queue for each possible CPU, beside the device.</summary>
/// <remarks>
/// Contains a <see cref="DevFuseChannel"/>, by which INIT, FORGET, INTERRUPT and notifications travel. The queues register once INIT has been
/// answered; until then the kernel holds requests back.
/// </remarks>
public sealed class UringChannel : IFuseChannel
{
    private readonly DevFuseChannel _device;
    private readonly UringQueue[] _queues;
    private readonly Action _abort;

    /// <summary>A channel on a mounted device, which it borrows.</summary>
    /// <param name="device">The connection's fd.</param>
    /// <param name="options">Depth, message size and placement.</param>
    /// <param name="abort">Ends the connection if a queue fails: without all its queues the kernel would hold every request for ever.</param>
    public UringChannel(SafeFileHandle device, UringOptions options, Action abort)
    {
        _abort = abort;
        _device = new DevFuseChannel(device, new DevFuseOptions { Threads = 1, MessageBytes = options.MessageBytes, Spin = TimeSpan.Zero });
        int fd = (int)device.DangerousGetHandle();
        int cpus = options.Topology.Online.Count;
        bool keepsAwake = options.Affinity == Affinity.Auto && options.Spin > TimeSpan.Zero && cpus is > 1 and <= LoneQueue.CpusMax;
        LoneQueue? lone = keepsAwake ? new LoneQueue(options.Spin) : null;
        _queues = [.. options.Topology.Possible.Numbers.Select(cpu => new UringQueue(fd, cpu, options, lone, WakeAll))];
    }

    /// <inheritdoc/>
    public void Run(IRequestHandler handler, CancellationToken cancellationToken)
    {
        var starter = new AfterInit(handler);
        ExceptionDispatchInfo? fault = null;
        var threads = new Thread[_queues.Length];
        for (int i = 0; i < threads.Length; i++)
        {
            UringQueue queue = _queues[i];
            threads[i] = new Thread(() => RunQueue(queue, starter, ref fault)) { IsBackground = true, Name = $"fuse-uring-{i}" };
            threads[i].Start();
        }

        try
        {
            _device.Run(starter, cancellationToken);
        }
        finally
        {
            starter.End();
            foreach (UringQueue queue in _queues)
            {
                queue.End();
            }

            foreach (Thread thread in threads)
            {
                thread.Join();
            }
        }

        fault?.Throw();
    }

    /// <summary>Frees the queues and lets go of the device.</summary>
    public void Dispose()
    {
        foreach (UringQueue queue in _queues)
        {
            queue.Dispose();
        }

        _device.Dispose();
    }

    private void WakeAll()
    {
        foreach (UringQueue queue in _queues)
        {
            queue.WakeIfSleeping();
        }
    }

    private void RunQueue(UringQueue queue, AfterInit handler, ref ExceptionDispatchInfo? fault)
    {
        if (!handler.AwaitInit())
        {
            return;
        }

        try
        {
            queue.Run(handler);
        }
#pragma warning disable CA1031 // It is thrown again on the thread that called Run.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            Interlocked.CompareExchange(ref fault, ExceptionDispatchInfo.Capture(exception), null);
            _abort();
        }
    }

    /// <summary>Passes everything on, and lets the queues register when INIT has been answered.</summary>
    private sealed class AfterInit(IRequestHandler inner) : IRequestHandler
    {
        private readonly TaskCompletionSource<bool> _initialized = new();

        public IAnswerSource? Answers => inner.Answers;

        public bool AwaitInit() => _initialized.Task.Result;

        public void End() => _initialized.TrySetResult(false);

        public void Handle(FuseRequest request)
        {
            bool isInit = request.Header.Opcode == Opcode.Init;
            inner.Handle(request);
            if (isInit)
            {
                _initialized.TrySetResult(true);
            }
        }
    }
}
