using System.ComponentModel;
using System.Diagnostics.CodeAnalysis;
using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;
using Harness.Runtime;
using Harness.Runtime.Native;
using Microsoft.Win32.SafeHandles;
using Mono.Unix.Native;

namespace Harness.Transport.Uring;

/// <summary>The FUSE queue of one CPU: a ring, its entries, and the thread that serves them.</summary>
/// <remarks>
/// The thread alone submits and completes (IORING_SETUP_SINGLE_ISSUER). Commits of one pass go to the kernel together with the wait for the
/// next completion, in one system call. A reply that another thread gives is posted here, and wakes the thread through an eventfd that the
/// ring reads.
/// </remarks>
internal sealed unsafe class UringQueue : IDisposable
{
    private const ulong WakeUserData = ulong.MaxValue;
    private const int EfdCloexec = 0x80000;

    private readonly int _device;
    private readonly ushort _qid;
    private readonly ReaderPlacement _placement;
    private readonly UringSlot[] _slots;
    private readonly Queue<UringSlot> _posted = new();
    private readonly Lock _gate = new();
    private readonly SafeFileHandle _wakeFd;
    private readonly NativeBuffer _wakeBuffer = new(SessionOptions.PageSize);
    private Ring? _ring;
    private Thread? _thread;
    private readonly LoneQueue? _lone;
    private readonly bool _followsLoad;
    private readonly Action _wakeOthers;
    private LoadPlacement _loadPlacement;
    private AdaptiveSpin _spin;
    private int _postedCount;
    private int _sleeping;
    private bool _disposed;
    private bool _ended;
    private int _entriesInKernel;

    /// <summary>A queue that is not registered yet.</summary>
    /// <param name="device">The connection's fd.</param>
    /// <param name="cpu">The CPU whose queue it is.</param>
    /// <param name="options">Depth, message size and placement.</param>
    /// <param name="lone">What the channel's queues share where it is worth while to keep CPUs awake; null where not.</param>
    /// <param name="wakeOthers">Wakes the threads of the channel's other queues.</param>
    public UringQueue(int device, int cpu, UringOptions options, LoneQueue? lone, Action wakeOthers)
    {
        _device = device;
        _qid = (ushort)cpu;
        _lone = lone;
        _wakeOthers = wakeOthers;
        _followsLoad = options.Affinity == Affinity.Auto;
        _loadPlacement = new LoadPlacement(new CpuSet([cpu]), ThreadPlacement.Allowed());
        _placement = ReaderPlacement.ForCpu(cpu, options.Affinity, options.Topology);
        _spin = new AdaptiveSpin(options.Spin, new SpinTurn(), onlyIdle: false);
        // The kernel wants room for a page of names even where messages are smaller (fs/fuse/dev_uring.c, FUSE_URING_IOV_SEGS).
        int payload = Math.Max(options.MessageBytes, Protocol.MinReadBuffer);
        bool mayBeHuge = (long)options.Topology.Possible.Count * options.Depth * payload <= UringPayloads.HugeBytesMax;
        var payloads = new UringPayloads(options.Depth, payload, _placement.Node, mayBeHuge);
        _slots = [.. Enumerable.Range(0, options.Depth).Select(i => new UringSlot(this, i, payloads, _placement.Node))];

        int fd = Libc.EventFd(0, EfdCloexec);
        _wakeFd = fd >= 0 ? new SafeFileHandle(fd, ownsHandle: true) : throw new Win32Exception((int)Libc.LastErrno, "eventfd failed");
    }

    /// <summary>Registers the queue and serves it on the calling thread until the kernel ends the connection.</summary>
    /// <exception cref="FuseTransportException">The kernel refused the ring or a registration.</exception>
    public void Run(IRequestHandler handler)
    {
        _thread = Thread.CurrentThread;
        IAnswerSource? answers = handler.Answers;
        // The queue of a CPU that is offline stays unpinned: the kernel wants it, but nothing will arrive there.
        _placement.Apply();
        if (_followsLoad)
        {
            _loadPlacement.Apply();
        }

        _ring = MakeRing((uint)_slots.Length + 1);
        ArmWake();
        foreach (UringSlot slot in _slots)
        {
            Register(slot);
        }

        // When the connection ends the kernel completes every entry it holds. Those that are out are not waited for: their answers come to
        // nothing, and perhaps never.
        while (!Volatile.Read(ref _ended) || _entriesInKernel > 0)
        {
            if (!Serve(handler) && !(answers is not null && LookFor(answers)))
            {
                Sleep();
            }
        }
    }

    /// <summary>Takes an answered request. Called from any thread.</summary>
    public void Commit(UringSlot slot)
    {
        if (Thread.CurrentThread == _thread)
        {
            slot.IsOut = false;
            PrepareCommit(slot);
            return;
        }

        lock (_gate)
        {
            slot.IsOut = false;
            if (_disposed)
            {
                slot.Dispose();
                return;
            }

            _posted.Enqueue(slot);
            Volatile.Write(ref _postedCount, _posted.Count);
        }

        WakeIfSleeping();
    }

    /// <summary>Tells the queue that the connection has ended. Called from any thread.</summary>
    public void End()
    {
        Volatile.Write(ref _ended, true);
        WakeIfSleeping();
    }

    /// <summary>
    /// Frees the buffers; those of requests that are still out follow when they are answered. The thread that served the queue must have ended.
    /// </summary>
    public void Dispose()
    {
        _ring?.Dispose();
        lock (_gate)
        {
            _disposed = true;
            foreach (UringSlot slot in _slots)
            {
                if (!slot.IsOut)
                {
                    slot.Dispose();
                }
            }
        }

        ((IDisposable)_wakeBuffer).Dispose();
        _wakeFd.Dispose();
    }

    private static Ring MakeRing(uint entries)
    {
        try
        {
            return new Ring(entries, IoUring.SetupSingleIssuer | IoUring.SetupDeferTaskrun | IoUring.SetupTaskrunFlag);
        }
        catch (Win32Exception exception)
        {
            throw new FuseTransportException($"{exception.Message}. io_uring needs Linux 6.1 and /proc/sys/kernel/io_uring_disabled at 0.", exception);
        }
    }

    /// <summary>Handles what has come and commits what others have answered.</summary>
    /// <returns>Whether there was anything.</returns>
    private bool Serve(IRequestHandler handler)
    {
        bool any = false;
        int requests = 0;
        while (_ring!.TryComplete(out IoUring.Cqe completion))
        {
            any = true;
            if (completion.UserData == WakeUserData)
            {
                ArmWake();
            }
            else
            {
                requests++;
                Complete(handler, _slots[(int)completion.UserData], completion.Result);
            }
        }

        if (requests > 0 && _followsLoad)
        {
            FollowLoad(requests);
        }

        while (TryTakePosted(out UringSlot? slot))
        {
            any = true;
            PrepareCommit(slot);
        }

        return any;
    }

    private void Complete(IRequestHandler handler, UringSlot slot, int result)
    {
        _entriesInKernel--;
        if (result < 0)
        {
            // −ENOTCONN when the connection ends (fs/fuse/dev_uring.c, fuse_uring_entry_teardown). Anything else is a refusal of the
            // command itself, after which the entry is the kernel's no more.
            if (-result is not ((int)Errno.ENOTCONN or (int)Errno.ECANCELED or (int)Errno.ENODEV))
            {
                throw new FuseTransportException($"The kernel refused an entry of FUSE queue {_qid}: {(Errno)(-result)}.");
            }
        }
        else if (slot.Accept())
        {
            slot.IsOut = true;
            if (_followsLoad)
            {
                _loadPlacement.Note(slot.Header.Pid);
            }

            handler.Handle(slot);
        }
        else
        {
            slot.Reply(Errno.EPROTO);
        }
    }

    private void FollowLoad(int requests)
    {
        _loadPlacement.EndPass();
        if (_lone is not null && _lone.Note(_qid, requests, MonotonicClock.NowNanoseconds))
        {
            _wakeOthers();
        }
    }

    /// <summary>Waits for something to do: awake for a while where that pays, and then asleep.</summary>
    private void Sleep()
    {
        if (_lone is not null && _lone.IsAnother(_qid))
        {
            if (KeepCpuAwake(_lone))
            {
                return;
            }
        }
        else if (_spin.TryBegin())
        {
            Enter(0);
            while (!HasWork && _spin.Continue())
            {
            }

            bool found = HasWork;
            _spin.End(found);
            if (found)
            {
                Enter(0);
                return;
            }
        }

        // The fence orders the announcement before the last look; who posts does the reverse.
        Interlocked.Exchange(ref _sleeping, 1);
        if (Volatile.Read(ref _postedCount) == 0 && !(Volatile.Read(ref _ended) && _entriesInKernel == 0))
        {
            Enter(1);
        }

        Volatile.Write(ref _sleeping, 0);
    }

    /// <summary>Looks for answers itself, where no other thread does, until something comes by the ring or nothing is expected any more.</summary>
    /// <returns>Whether there is something to do.</returns>
    private bool LookFor(IAnswerSource answers)
    {
        if (!answers.TryAttend())
        {
            return false;
        }

        Enter(0);
        while (!HasWork && answers.Attend())
        {
            if (_ring!.Unsubmitted > 0)
            {
                Enter(0);
            }
        }

        if (HasWork)
        {
            // It attends on: what it does now takes no longer than what the loop's thread would need to wake up.
            Enter(0);
            return true;
        }

        answers.EndAttend();
        return false;
    }

    /// <summary>Stays awake, with nothing to do, as long as another queue alone is in use.</summary>
    /// <returns>Whether there is something to do.</returns>
    private bool KeepCpuAwake(LoneQueue lone)
    {
        _loadPlacement.Return();
        Enter(0);
        var watch = new LoneQueueWatch(lone, _qid);
        while (!HasWork && watch.Continue())
        {
        }

        if (!HasWork)
        {
            return false;
        }

        Enter(0);
        return true;
    }

    private bool HasWork => _ring!.HasWork || Volatile.Read(ref _postedCount) > 0;

    private void Enter(uint waitFor)
    {
        Errno error = _ring!.Enter(waitFor);
        if (error is not (0 or Errno.EINTR or Errno.EAGAIN or Errno.EBUSY))
        {
            throw new FuseTransportException($"Waiting on the ring of FUSE queue {_qid} failed: {error}.");
        }
    }

    /// <summary>Wakes the queue's thread if it sleeps. Called from any thread.</summary>
    public void WakeIfSleeping()
    {
        Interlocked.MemoryBarrier();
        if (Volatile.Read(ref _sleeping) != 0 && Interlocked.Exchange(ref _sleeping, 0) != 0)
        {
            ulong one = 1;
            _ = Libc.Write(_wakeFd, &one, sizeof(ulong));
        }
    }

    private bool TryTakePosted([NotNullWhen(true)] out UringSlot? slot)
    {
        if (Volatile.Read(ref _postedCount) == 0)
        {
            slot = null;
            return false;
        }

        lock (_gate)
        {
            bool any = _posted.TryDequeue(out slot);
            Volatile.Write(ref _postedCount, _posted.Count);
            return any;
        }
    }

    private void ArmWake()
    {
        IoUring.Sqe* entry = _ring!.NextEntry();
        entry->Opcode = IoUring.OpRead;
        entry->Fd = (int)_wakeFd.DangerousGetHandle();
        entry->Address = (ulong)_wakeBuffer.Pointer;
        entry->Length = sizeof(ulong);
        entry->UserData = WakeUserData;
    }

    private void Register(UringSlot slot)
    {
        IoUring.Sqe* entry = PrepareCommand(UringCmd.Register, slot);
        entry->Address = (ulong)slot.Iovecs;
        entry->Length = 2;
    }

    private void PrepareCommit(UringSlot slot)
    {
        IoUring.Sqe* entry = PrepareCommand(UringCmd.CommitAndFetch, slot);
        ((UringCmdReq*)entry->Command)->CommitId = slot.CommitId;
    }

    private IoUring.Sqe* PrepareCommand(UringCmd command, UringSlot slot)
    {
        IoUring.Sqe* entry = _ring!.NextEntry();
        entry->Opcode = IoUring.OpUringCmd;
        entry->Fd = _device;
        entry->Offset = (uint)command;
        entry->UserData = (ulong)slot.Index;
        _entriesInKernel++;
        ((UringCmdReq*)entry->Command)->Qid = _qid;
        return entry;
    }
}
