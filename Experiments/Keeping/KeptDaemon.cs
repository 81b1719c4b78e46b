using System.Diagnostics;
using System.Runtime.InteropServices;
using Harness.Experiments.Backends;
using Harness.Experiments.Commands;
using Harness.Experiments.Mounting;
using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;
using Harness.Runtime;
using Harness.Runtime.Native;
using Harness.Transport;
using Harness.Transport.Mounting;
using Mono.Unix.Native;

namespace Harness.Experiments.Keeping;

/// <summary>The daemon of a kept mount: it serves on what the supervisor gives it, the first as well as each that takes another's place.</summary>
/// <remarks>
/// The order is what makes the change invisible. The one before is dead and reaped when this one gets anything, so that it can send no late
/// answer. Nodes, handles and journal are in their places before the kernel is asked to send again what was in flight, and readers start after
/// that, since a request that is read before is both served and sent again. Notifications other than that have to come from a thread of their
/// own: some wait until requests are served.
/// </remarks>
internal sealed class KeptDaemon : IDisposable
{
    /// <summary>Requests that a reader may have handed out: each takes locked memory for the largest message.</summary>
    public const int SlotsMax = 64;

    private readonly HandOver _handOver;
    private readonly FuseMount _mount;
    private readonly FuseSession _session;
    private readonly IRequestHandler _handler;
    private readonly EventLoop? _loop;
    private readonly DevFuseChannel _channel;
    private readonly IFuseObserver _observer;

    private KeptDaemon(MountSpec spec, IFuseObserver observer, Link link)
    {
        _observer = observer;
        _handOver = HandOver.Receive(link);
        KeptState state = _handOver.State;
        _mount = FuseMount.Adopt(spec.MountPoint, _handOver.Devices[0]);
        var journal = new RequestJournal(state);
        IFileSystem fileSystem = BackendFactory.Create(spec, new KeptDescriptors(state, link, journal, _handOver.Kept));
        _session = new FuseSession(fileSystem, spec.Session, observer, _mount.Notifications) { Journal = journal };
        _handler = _session;
        if (spec.Latency > TimeSpan.Zero)
        {
            _loop = new EventLoop("latency");
            _handler = new LatencyHandler(_session, _loop, spec.Latency);
        }

        fileSystem.Attach(_mount.BackingFiles);
        _channel = ChannelFactory.Create(spec, _handOver.Devices);
    }

    /// <summary>Serves until the connection ends.</summary>
    /// <param name="spec">The mount.</param>
    /// <param name="observer">Who sees the messages.</param>
    /// <param name="socket">The inherited socket to the supervisor.</param>
    /// <returns>The exit code: <see cref="ExitCode.Done"/> only if the connection has ended.</returns>
    /// <exception cref="FuseTransportException">It cannot be served on.</exception>
    public static int Serve(MountSpec spec, IFuseObserver observer, int socket)
    {
        // Ctrl-C and a closed terminal reach all processes of a terminal; what is to be done then the supervisor decides.
        using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Ignore);
        using PosixSignalRegistration hangup = PosixSignalRegistration.Create(PosixSignal.SIGHUP, Ignore);
        using var link = new Link(UnixSocket.TakeInherited(socket));
        using var daemon = new KeptDaemon(spec, observer, link);
        new Thread(() => EndWithSupervisor(link)) { IsBackground = true, Name = "supervisor" }.Start();
        return daemon.Run(link);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _session.Stop();
        _channel.Dispose();
        _mount.Dispose();
        _loop?.Dispose();
        _handOver.State.Dispose();
    }

    /// <summary>
    /// Ends this process when the supervisor's end of the line closes, whatever closed it: the last of the connection's fds go with it, so that
    /// applications get errors and do not wait for a successor that nobody would start. (PR_SET_PDEATHSIG would follow the thread that started
    /// this process.)
    /// </summary>
    private static void EndWithSupervisor(Link link)
    {
        while (link.Receive(wait: true) == true)
        {
            // After the hand-over a supervisor has nothing more to say.
        }

        using var self = Process.GetCurrentProcess();
        self.Kill();
    }

    private static void Ignore(PosixSignalContext context) => context.Cancel = true;

    private int Run(Link link)
    {
        NegotiatedInit? agreed = _handOver.State.Header.Init.ToNegotiated();
        if (agreed is not null)
        {
            _session.Resume(agreed);
            AskAgain(agreed);
        }

        Task running = Task.Factory.StartNew(
            () => _channel.Run(_handler, CancellationToken.None), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        if (agreed is null)
        {
            _handOver.State.Header.Init = new KeptInit(AwaitInit());
        }

        link.TrySend(LinkVerb.Ready);
        ((IAsyncResult)running).AsyncWaitHandle.WaitOne();
        if (running.Exception?.InnerException is Exception fault)
        {
            CommandLine.Fail(fault.Message);
            return ExitCode.CheckFailed;
        }

        return ExitCode.Done;
    }

    /// <summary>Has the kernel send again what the daemon before this one had read and not answered.</summary>
    private void AskAgain(NegotiatedInit agreed)
    {
        Errno error = new FuseNotifier(agreed, _mount.Notifications, _observer).Resend();
        if (error is not (Errnos.Ok or Errno.ENODEV))
        {
            throw new FuseTransportException($"The kernel did not send again what was in flight: {error}.");
        }
    }

    private NegotiatedInit AwaitInit()
    {
        NegotiatedInit init = SessionStart.Await(_session, _mount.MountPoint);
        return (init.Offered & InitFlags.HasResend) != 0 ? init : throw new FuseTransportException(
            "This kernel cannot send requests again, which --keep needs (FUSE_HAS_RESEND, Linux 6.9). Mount without --keep.");
    }
}
