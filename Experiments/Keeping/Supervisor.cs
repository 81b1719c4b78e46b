using Harness.Experiments.Backends;
using Harness.Experiments.Backends.Passthrough;
using Harness.Experiments.Machine;
using Harness.Experiments.Mounting;
using Harness.Experiments.Plan;
using Harness.FuseProtocol;
using Harness.Runtime.Native;
using Harness.Transport;
using Harness.Transport.Mounting;
using Microsoft.Win32.SafeHandles;

namespace Harness.Experiments.Keeping;

/// <summary>
/// Keeps a mount through the death and the replacement of its daemon: it holds the connection's fds, the state in memory and the descriptors that
/// must survive, starts daemons, and serves nothing itself.
/// </summary>
/// <remarks>
/// One thread waits for everything. What it holds is bounded: four bytes a kept descriptor, and the state, whose pages are taken as they are used.
/// When it ends, in whatever way, the daemon ends too, since the line between them does, and with the last fd the connection: applications get
/// errors and do not wait.
/// </remarks>
internal sealed partial class Supervisor : IDisposable
{
    /// <summary>Most nodes and handles that are kept, four times as many as a process may have descriptors by default (fs.nr_open).</summary>
    private const int SlotsMax = 1 << 22;

    /// <summary>Journal entries for each request that can be in flight: some may still belong to dead daemons.</summary>
    private const int EntriesPerRequest = 2;

    private readonly MountSpec _spec;
    private readonly string[] _arguments;
    private readonly KeptState _state;
    private readonly DescriptorShelf _shelf;
    private readonly FuseMount _mount;
    private readonly IReadOnlyList<SafeFileHandle> _devices;
    private readonly SupervisorEvents _events = new();
    private readonly SupervisorSocket _control;
    private readonly DeathCount _deaths = new(TimeProvider.System);
    private DaemonProgram _program = DaemonProgram.Own;
    private DaemonChild _current;
    private DaemonChild? _next;
    private bool _hasServed;
    private bool _isUp;
    private int? _exitCode;

    private Supervisor(MountSpec spec, string[] arguments)
    {
        _spec = spec;
        _arguments = arguments;
        DescriptorLimit.Raise();
        using FileDescriptor? root = BackendFactory.OpenRoot(spec);
        _state = KeptState.Create(spec.Threads * KeptDaemon.SlotsMax * EntriesPerRequest, SlotsMax);
        _shelf = new DescriptorShelf(SlotsMax);
        KeepRoot(root);
        _mount = FuseMount.Create(spec.MountPoint, spec.Kernel);
        try
        {
            _devices = spec.Channel == Knobs.Clone ? [_mount.Device, .. _mount.CloneDevice(spec.Threads - 1)] : [_mount.Device];
            _control = new SupervisorSocket(_mount.Connection);
            _current = DaemonChild.Start(_program, _arguments, Deadline(s_startMax));
        }
        catch
        {
            _mount.Unmount();
            throw;
        }
    }

    /// <summary>Mounts, and keeps the mount until it is unmounted.</summary>
    /// <param name="spec">The mount.</param>
    /// <param name="arguments">The command line that it was read from, for the daemons.</param>
    /// <param name="endsWithInput">Whether to unmount when standard input ends.</param>
    /// <returns>The exit code.</returns>
    /// <exception cref="FuseTransportException">This machine cannot.</exception>
    public static int Run(MountSpec spec, string[] arguments, bool endsWithInput)
    {
        Supervisor supervisor;
        using (SystemSettings.Hold(MessageLimit.Needs(spec.MaxWrite)))
        {
            supervisor = new Supervisor(spec, arguments);
            supervisor.Watch(until: () => supervisor._hasServed);
        }

        using (supervisor)
        {
            try
            {
                supervisor.Announce();
                if (endsWithInput)
                {
                    Console.OpenStandardInput().CopyToAsync(Stream.Null)
                        .ContinueWith(_ => supervisor._events.Raise(SupervisorEvent.Stop), TaskScheduler.Default);
                }

                supervisor.Watch(until: () => false);
                return supervisor._exitCode ?? ExitCode.Done;
            }
            finally
            {
                supervisor.Finish();
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        EndNext();
        _current.Dispose();
        _control.Dispose();
        _events.Dispose();
        foreach (SafeFileHandle device in _devices)
        {
            device.Dispose();
        }

        _mount.Dispose();
        _shelf.Dispose();
        _state.Dispose();
    }

    /// <summary>Waits, and does what there is to do, until the end or what the caller waits for.</summary>
    private void Watch(Func<bool> until)
    {
        // poll(2) passes over negative numbers.
        Span<PollFd> fds = stackalloc PollFd[5];
        while (_exitCode is null && !until())
        {
            int device = _endBy is null ? (int)_mount.Device.DangerousGetHandle() : -1;
            ReadOnlySpan<int> numbers = [_events.Number, _control.Number, _next?.Link.Number ?? -1, _current.Link.Number, device];
            for (int i = 0; i < fds.Length; i++)
            {
                // Of the device only the end of the connection is looked for (fs/fuse/dev.c, fuse_dev_poll): its requests are the daemon's.
                fds[i] = new PollFd { Fd = numbers[i], Events = i < fds.Length - 1 ? PollFd.In : (short)0 };
            }

            _ = Libc.Poll(fds, MillisToDeadline());
            if (fds[0].Revents != 0 && _events.Take() is SupervisorEvent happened)
            {
                Handle(happened);
            }

            if (fds[1].Revents != 0 && _control.TakeRequest() is string request)
            {
                Handle(request);
            }

            if (fds[2].Revents != 0)
            {
                ListenToNext();
            }

            if (fds[3].Revents != 0)
            {
                ListenToCurrent();
            }

            if (fds[4].Revents != 0)
            {
                // The daemon notices too, unless it hangs.
                EndWithin(s_drainMax);
            }

            CheckDeadlines();
        }
    }

    private void Handle(SupervisorEvent happened)
    {
        switch (happened)
        {
            case SupervisorEvent.Stop:
                Stop();
                break;
            case SupervisorEvent.Replace:
                Replace(_program);
                break;
            default:
                OnUnmounted();
                break;
        }
    }

    private void Handle(string request)
    {
        switch (SupervisorRequest.Parse(request))
        {
            case { Verb: SupervisorRequest.Status }:
                _control.Answer(new SupervisorStatus(_current.Id, _current.IsServing, _state.Header.Generation).ToString());
                break;
            case { Verb: SupervisorRequest.Replace, Program: DaemonProgram program }:
                Replace(program);
                break;
            default:
                _control.Answer("not understood");
                break;
        }
    }

    private void KeepRoot(FileDescriptor? root)
    {
        if (root is null)
        {
            return;
        }

        const int FDupfdCloexec = 1030;
        _shelf.Keep(0, Libc.Fcntl(root, FDupfdCloexec, 0));
        _state.Slots[0] = new KeptSlot { Id = NodeId.Root.Value, Kind = KeptKind.Node };
        _state.Header.SlotsUsed = 1;
        _state.Header.LastNodeId = NodeId.Root.Value;
    }

    private void Announce()
    {
        if (!_hasServed)
        {
            return;
        }

        ReadAhead.Apply(_spec.MaxReadahead, _mount.Connection);
        Console.WriteLine(_spec.Describe(_state.Header.Init.ToNegotiated()!));
        _isUp = true;
    }
}
