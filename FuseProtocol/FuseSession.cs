using System.Runtime.InteropServices;
using Harness.FuseProtocol.Wire;
using Mono.Unix.Native;

namespace Harness.FuseProtocol;

/// <summary>
/// One connection with a kernel: negotiates INIT, keeps what was agreed, delivers interrupts, and passes everything else to a
/// <see cref="Dispatcher"/>.
/// </summary>
/// <remarks>Thread-safe. Pure: what happens depends only on the messages.</remarks>
public sealed partial class FuseSession : IRequestHandler
{
    private readonly IFileSystem _fileSystem;
    private readonly SessionOptions _options;
    private readonly IFuseObserver? _observer;
    private readonly IFuseObserver? _messageObserver;
    private readonly INotificationSink? _notifications;
    private readonly Func<SlotMeter>? _meters;
    private readonly Dispatcher _dispatcher;
    private readonly InterruptBoard _interrupts = new();
    private readonly TaskCompletionSource<NegotiatedInit> _started = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile NegotiatedInit? _init;
    private int _phase;

    /// <summary>A session that serves <paramref name="fileSystem"/>.</summary>
    /// <param name="fileSystem">What answers.</param>
    /// <param name="options">What to ask for in INIT.</param>
    /// <param name="observer">Who sees every message.</param>
    /// <param name="notifications">What carries the file system's notifications; without one they are answered ENOSYS.</param>
    /// <param name="meters">Makes the meter of each new slot.</param>
    /// <exception cref="ArgumentException">The options contradict each other or the kernel; the message says how.</exception>
    public FuseSession(
        IFileSystem fileSystem,
        SessionOptions options,
        IFuseObserver? observer = null,
        INotificationSink? notifications = null,
        Func<SlotMeter>? meters = null)
    {
        if (options.Validate() is { Count: > 0 } errors)
        {
            throw new ArgumentException(string.Join(' ', errors), nameof(options));
        }

        _fileSystem = fileSystem;
        _options = options;
        _observer = observer;
        _messageObserver = observer is { SeesMessages: true } ? observer : null;
        _notifications = notifications;
        _meters = meters;
        _dispatcher = new Dispatcher(fileSystem, observer);
    }

    /// <summary>
    /// Completes with what was agreed, once INIT has been answered; fails if the kernel is too old, if the file system could not start, or
    /// if the session ended before.
    /// </summary>
    public Task<NegotiatedInit> Started => _started.Task;

    /// <inheritdoc/>
    public IAnswerSource? Answers => _fileSystem.Answers;

    /// <summary>Where requests that must not run twice are written down; null where no successor is going to need it.</summary>
    public IRequestJournal? Journal { get; init; }

    /// <inheritdoc/>
    public void Handle(FuseRequest request)
    {
        InHeader header = request.Header;
        try
        {
            if (!ReferenceEquals(request.Registered, this))
            {
                Register(request);
            }

            Route(request);
        }
#pragma warning disable CA1031 // The one catch-all: a bug of the file system becomes EIO instead of the end of the mount.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            _dispatcher.Fault(request, in header, exception);
        }
    }

    /// <summary>Ends the session where the kernel sent no DESTROY, as it does for most mounts. Does nothing the second time.</summary>
    public void Stop()
    {
        int phase = Interlocked.Exchange(ref _phase, Phase.Stopped);
        _init = null;
        if (phase == Phase.Serving)
        {
            _fileSystem.Stop();
        }

        _started.TrySetException(new InvalidOperationException("The session ended before INIT."));
    }

    private void Route(FuseRequest request)
    {
        Opcode opcode = request.Header.Opcode;
        NegotiatedInit? init = _init;
        if (!OpcodeTable.IsKnown(opcode))
        {
            _observer?.Refused(in request.Header, $"opcode {(uint)opcode} is unknown");
            request.Reply(Errno.ENOSYS);
            return;
        }

        if (!request.TrySplit(OpcodeTable.ArgsSize(opcode, init?.Flags ?? InitFlags.None)))
        {
            Refuse(request, "the message is shorter than its arguments");
            return;
        }

        _messageObserver?.Received(request);
        switch (opcode)
        {
            case Opcode.Init:
                Initialize(request);
                break;
            case Opcode.Interrupt:
                Interrupt(request);
                break;
            case Opcode.Destroy:
                Stop();
                request.Reply(Errnos.Ok);
                break;
            default:
                if (init is null)
                {
                    Refuse(request, $"the message came {(Volatile.Read(ref _phase) == Phase.Stopped ? "after DESTROY" : "before INIT")}");
                    break;
                }

                _interrupts.Deliver(request);
                request.BeginService();
                if (Journal is null || !IsAnsweredFrom(Journal, request))
                {
                    _dispatcher.Dispatch(request);
                }

                break;
        }
    }

    private void Register(FuseRequest request)
    {
        request.Observer = _messageObserver;
        request.Meter = _meters?.Invoke();
        request.Meter?.Received(in request.Header);
        request.Registered = this;
        _interrupts.Add(request);
    }

    /// <summary>Writes down a request that must not run twice, or answers one that has run.</summary>
    private static bool IsAnsweredFrom(IRequestJournal journal, FuseRequest request)
    {
        if (!OnceOnly.Includes(request))
        {
            return false;
        }

        ulong unique = request.Header.Unique;
        int known = (unique & Protocol.UniqueResend) != 0 ? journal.Find(unique & ~Protocol.UniqueResend) : -1;
        request.Enter(journal, known >= 0 ? known : journal.Begin(in request.Header), mayHaveRun: known >= 0);
        if (known < 0 || !journal.TryGetAnswer(known, out Errno error, out ReadOnlySpan<byte> reply))
        {
            return false;
        }

        if (error != Errnos.Ok)
        {
            request.Reply(error);
            return true;
        }

        reply.CopyTo(request.ReplyBuffer.Span);
        request.Reply(reply.Length);
        return true;
    }

    private void Interrupt(FuseRequest request)
    {
        ulong unique = MemoryMarshal.Read<InterruptIn>(request.Args.Span).Unique;
        if (_interrupts.TryDeliver(unique))
        {
            request.Complete();
            return;
        }

        // The request is still on its way to its slot, or answered already. EAGAIN makes the kernel send the interrupt once more if the
        // request is still waiting, and forget it otherwise (fs/fuse/dev.c, fuse_dev_do_write).
        request.Reply(Errno.EAGAIN);
    }

    private void Refuse(FuseRequest request, string reason)
    {
        _observer?.Refused(in request.Header, reason);
        request.TryFail(request.Header.Unique, Errno.EPROTO);
    }

    /// <summary>How far the session has come; it only moves forward, but for an INIT that asks for another.</summary>
    private static class Phase
    {
        public const int Waiting = 0;
        public const int Starting = 1;
        public const int Serving = 2;
        public const int Stopped = 3;
    }
}
