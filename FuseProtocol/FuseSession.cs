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
    private readonly Dispatcher _dispatcher;
    private readonly TaskCompletionSource<NegotiatedInit> _started = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<FuseRequest> _slots = [];
    private volatile NegotiatedInit? _init;
    private InitFlags _flags;
    private int _stopped;

    /// <summary>A session that serves <paramref name="fileSystem"/>.</summary>
    public FuseSession(IFileSystem fileSystem, SessionOptions options, IFuseObserver? observer = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(options.MaxWrite, SessionOptions.MaxWriteMin, nameof(options));
        _fileSystem = fileSystem;
        _options = options;
        _observer = observer;
        _dispatcher = new Dispatcher(fileSystem, observer);
    }

    /// <summary>Completes with what was agreed, once INIT has been answered; fails if the kernel is too old or too new.</summary>
    public Task<NegotiatedInit> Started => _started.Task;

    /// <inheritdoc/>
    public void Handle(FuseRequest request)
    {
        if (!ReferenceEquals(request.Registered, this))
        {
            Register(request);
        }

        Opcode opcode = request.Header.Opcode;
        if (!OpcodeTable.IsKnown(opcode))
        {
            _observer?.Refused(in request.Header, $"opcode {(uint)opcode} is unknown");
            request.Reply(Errno.ENOSYS);
            return;
        }

        if (!request.TrySplit(OpcodeTable.ArgsSize(opcode, _flags)))
        {
            Refuse(request, "the message is shorter than its arguments");
            return;
        }

        _observer?.Received(request);
        switch (opcode)
        {
            case Opcode.Init:
                Initialize(request);
                break;
            case Opcode.Destroy:
                Stop();
                request.Reply(Errnos.Ok);
                break;
            case Opcode.Interrupt:
                Interrupt(request);
                break;
            default:
                if (_init is null)
                {
                    Refuse(request, "the message came before INIT");
                    break;
                }

                _dispatcher.Dispatch(request);
                break;
        }
    }

    /// <summary>Ends the session where the kernel sent no DESTROY (it sends none after an abort). Does nothing the second time.</summary>
    public void Stop()
    {
        if (Interlocked.Exchange(ref _stopped, 1) == 0)
        {
            _fileSystem.Stop();
        }
    }

    private void Register(FuseRequest request)
    {
        request.Observer = _observer;
        request.Registered = this;
        lock (_slots)
        {
            _slots.Add(request);
        }
    }

    private void Interrupt(FuseRequest request)
    {
        ulong unique = MemoryMarshal.Read<InterruptIn>(request.Args.Span).Unique;
        bool found = false;
        lock (_slots)
        {
            foreach (FuseRequest slot in _slots)
            {
                found |= slot.TryInterrupt(unique);
            }
        }

        if (found)
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
        if (OpcodeTable.TakesReply(request.Header.Opcode))
        {
            request.Reply(Errno.EPROTO);
        }
        else
        {
            request.Complete();
        }
    }
}
