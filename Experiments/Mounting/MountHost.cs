using Harness.Experiments.Backends;
using Harness.Experiments.Machine;
using Harness.Experiments.Observing;
using Harness.FuseProtocol;
using Harness.Runtime;
using Harness.Transport;
using Harness.Transport.Mounting;

namespace Harness.Experiments.Mounting;

/// <summary>Serves one mount in this process, from mount(2) until it is unmounted.</summary>
internal sealed class MountHost : IDisposable
{
    // An unmount under load ends within milliseconds; what takes longer than this waits for an application that holds a file open.
    private static readonly TimeSpan s_drainMax = TimeSpan.FromMilliseconds(500);

    private readonly FuseSession _session;
    private readonly EventLoop? _loop;
    private readonly FuseMount _mount;
    private readonly IFuseChannel _channel;
    private readonly Task _running;
    private readonly ServedBackend _backend;
    private readonly TaskCompletionSource _abandoned = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task<string?>? _backendEnd;
    private ControlSocket? _control;

    private MountHost(
        MountSpec spec, ServedBackend backend, IFuseObserver? observer, Func<IRequestHandler, IRequestHandler>? before)
    {
        (Spec, _backend) = (spec, backend);
        IFileSystem fileSystem = backend.FileSystem;
        _mount = FuseMount.Create(spec.MountPoint, spec.Kernel);
        _session = new FuseSession(fileSystem, spec.Session, observer, _mount.Notifications, Meters.AddSlot);
        IRequestHandler handler = _session;
        if (spec.Latency > TimeSpan.Zero)
        {
            _loop = new EventLoop("latency");
            handler = new LatencyHandler(_session, _loop, spec.Latency);
        }

        handler = before?.Invoke(handler) ?? handler;
        fileSystem.Attach(_mount.BackingFiles);
        _channel = ChannelFactory.Create(spec, _mount);
        _running = Task.Factory.StartNew(
            () => _channel.Run(handler, CancellationToken.None), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    /// <summary>What was asked for.</summary>
    public MountSpec Spec { get; }

    /// <summary>What the requests of the mount were.</summary>
    public RequestMeters Meters { get; } = new();

    /// <summary>Why <c>stats</c> and <c>explain</c> will not find the mount; null if they will.</summary>
    public string? ControlProblem { get; private set; }

    /// <summary>What INIT agreed on.</summary>
    public NegotiatedInit Negotiated => _session.Started.Result;

    /// <summary>Ends when the connection has ended: unmounted here or by umount(8), or aborted.</summary>
    public Task Ended => _running;

    /// <summary>Mounts and waits until INIT is over, so that the mount point can be used.</summary>
    /// <exception cref="FuseTransportException">This machine cannot.</exception>
    public static MountHost Start(MountSpec spec, IFuseObserver? observer = null) =>
        Start(spec, BackendFactory.Open(spec), observer, null);

    /// <summary>Mounts a file system of the caller's.</summary>
    /// <exception cref="FuseTransportException">This machine cannot.</exception>
    /// <param name="spec">How to mount.</param>
    /// <param name="fileSystem">What is served.</param>
    /// <param name="observer">Who sees every message that reaches the session.</param>
    /// <param name="before">What stands between the channel and everything else.</param>
    public static MountHost Start(
        MountSpec spec, IFileSystem fileSystem, IFuseObserver? observer = null, Func<IRequestHandler, IRequestHandler>? before = null) =>
        Start(spec, new ServedBackend(fileSystem), observer, before);

    /// <summary>Ends what was served: a cluster's client writes what waits in it. To be called after <see cref="Stop"/>; again it does nothing.</summary>
    /// <returns>What could not be written; null if all was.</returns>
    public string? StopBackend()
    {
        _backendEnd ??= _backend.Stop?.Invoke() ?? Task.FromResult<string?>(null);
        return Task.WaitAny(_backendEnd, _abandoned.Task) == 0 ? _backendEnd.Result : "The end was not awaited: what was not yet written is lost.";
    }

    /// <summary>Ends the connection by force: whoever waits for the file system gets ECONNABORTED. The end of the backend is not awaited either.</summary>
    public void Abort()
    {
        _abandoned.TrySetResult();
        _mount.TryAbort();
    }

    private static MountHost Start(
        MountSpec spec, ServedBackend backend, IFuseObserver? observer, Func<IRequestHandler, IRequestHandler>? before)
    {
        MountHost host;
        try
        {
            host = StartMount(spec, backend, observer, before);
        }
        catch
        {
            backend.Stop?.Invoke().Wait();
            throw;
        }

        return host;
    }

    private static MountHost StartMount(
        MountSpec spec, ServedBackend backend, IFuseObserver? observer, Func<IRequestHandler, IRequestHandler>? before)
    {
        using var settings = SystemSettings.Hold([.. MessageLimit.Needs(spec.MaxWrite), .. ChannelFactory.Needs(spec)]);
        var host = new MountHost(spec, backend, observer, before);
        try
        {
            SessionStart.Await(host._session, spec.MountPoint);
            ReadAhead.Apply(spec.MaxReadahead, host._mount.Connection);
            host.OpenControl();
            return host;
        }
        catch
        {
            host.Dispose();
            throw;
        }
    }

    /// <summary>Unmounts, waits for what is in flight, and ends the connection by force if something still holds it.</summary>
    /// <returns>Whether the unmount was clean: nothing was open.</returns>
    public bool Stop()
    {
        bool clean = _running.IsCompleted || _mount.Unmount();
        if (!_running.Wait(s_drainMax))
        {
            clean = false;
            if (_mount.TryAbort())
            {
                _running.Wait(s_drainMax);
            }
        }

        return clean;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (!_running.IsCompleted)
        {
            Stop();
        }

        _control?.Dispose();
        _session.Stop();
        _channel.Dispose();
        _mount.Dispose();
        _loop?.Dispose();
        StopBackend();
    }

    private void OpenControl()
    {
        try
        {
            _control = ControlSocket.Open(_mount.Connection, Meters, Spec.Describe(Negotiated));
        }
        catch (FuseTransportException exception)
        {
            // The mount serves all the same; only watching it will not do.
            ControlProblem = exception.Message;
        }
    }
}
