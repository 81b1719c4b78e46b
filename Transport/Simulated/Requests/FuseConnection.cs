using System.Runtime.CompilerServices;
using Harness.FuseProtocol.Wire;
using Harness.Simulation.Machines;
using Harness.Transport.Simulated.Queues;
using Mono.Unix.Native;

namespace Harness.Transport.Simulated.Requests;

/// <summary>
/// The kernel's end of a FUSE connection: makes requests, sends them by the queue design of the mount, waits for answers
/// (<c>struct fuse_conn</c>, fs/fuse/dev.c).
/// </summary>
internal sealed partial class FuseConnection
{
    // Requests count in steps of two; the odd number is the INTERRUPT for the even one (FUSE_INT_REQ_BIT, fs/fuse/dev.c).
    private const ulong UniqueStep = 2;
    private const ulong InterruptBit = 1;

    private readonly Stack<KernelRequest> _spare = new();
    private readonly Queue<ulong> _interrupts = new();
    private readonly SimCacheLine _waitingCount;
    private ulong _unique;

    public FuseConnection(Machine machine, KernelOptions options)
    {
        Machine = machine;
        _waitingCount = new SimCacheLine(machine);
        Options = options;
        Costs = KernelCosts.Of(machine.Description);
        Background = new BackgroundRequests(this);
        Forgets = new Forgets(this);
    }

    public Machine Machine { get; }

    public KernelOptions Options { get; }

    public KernelCosts Costs { get; }

    public KernelFault Faults { get; set; }

    /// <summary>How requests travel; set before the first one.</summary>
    public RequestQueue Queue { get; set; } = null!;

    public BackgroundRequests Background { get; }

    public Forgets Forgets { get; }

    /// <summary>Requests made and not ended, as <c>/sys/fs/fuse/connections/N/waiting</c> counts them.</summary>
    public int Waiting { get; private set; }

    /// <summary>Whether there is anything that <see cref="TakeUrgent"/> would hand out.</summary>
    public bool HasUrgent => _interrupts.Count > 0 || Forgets.Count > 0;

    /// <summary>Requests answered so far.</summary>
    public long Ended { get; private set; }

    public long Now => Machine.Scheduler.NowNanoseconds;

    public KernelRequest Rent(Opcode opcode, ulong nodeId)
    {
        KernelRequest request = _spare.TryPop(out KernelRequest? spare) ? spare : new KernelRequest(Machine);
        request.Begin(opcode, nodeId);
        return request;
    }

    public void Return(KernelRequest request) => _spare.Push(request);

    public ulong NextUnique() => _unique += UniqueStep;

    /// <summary>Sends a request and waits for its answer, which the caller reads before it returns the request.</summary>
    [AsyncMethodBuilder(typeof(SimMethodBuilder<>))]
    public async ValueTask<Errno> Send(KernelTask task, KernelRequest request)
    {
        // Sending and waiting are one stretch in the kernel: the daemon's thread that this wakes does not get the CPU in between.
        bool isWithinCall = task.Thread.IsInKernel;
        task.Thread.EnterKernel();
        Identify(task, request);
        request.Waiter = task.Thread;
        Admit(task.Thread, request);
        request.Header.Unique = NextUnique();
        await Queue.Put(task.Thread, request);
        task.WaitsFor = request;
        bool interrupted = false;
        while (!request.IsDone)
        {
            if (task.IsSignalled && !interrupted)
            {
                // The caller goes on waiting: the daemon may answer EINTR, or finish (fs/fuse/dev.c, request_wait_answer).
                interrupted = true;
                task.IsSignalled = false;
                await Interrupt(task.Thread, request);
                continue;
            }

            await task.Thread.Block(request);
        }

        task.WaitsFor = null;
        Fetch(task.Thread, request);
        if (!isWithinCall)
        {
            await task.Thread.LeaveKernel();
        }

        return request.Error;
    }

    /// <summary>Sends a request that nobody waits for.</summary>
    public ValueTask SendBackground(KernelTask task, KernelRequest request, bool isForced = false)
    {
        if (!isForced)
        {
            Identify(task, request);
        }

        return Background.Send(task.Thread, request, isForced);
    }

    /// <summary>Tells the daemon, some time, that lookups are given back.</summary>
    public ValueTask Forget(SimThread thread, ulong nodeId, ulong lookups)
    {
        Forgets.Add(nodeId, lookups);
        return Queue.PutUrgent(thread);
    }

    /// <summary>A request is on its way: it counts as waiting and knows its memory.</summary>
    public void Admit(SimThread thread, KernelRequest request)
    {
        thread.Charge(Costs.Request);
        request.Node = thread.Cpu.Node.Id;
        request.Cpu = thread.Cpu;
        request.Links.MoveTo(thread.Cpu);
        request.Queue = thread.Cpu.Id;
        request.Seal();
        _waitingCount.Touch(thread);
        Waiting++;
    }

    /// <summary>The request's own memory comes to the CPU of whoever goes on with it.</summary>
    public void Fetch(SimThread thread, KernelRequest request)
    {
        if (request.Cpu is { } before && before != thread.Cpu)
        {
            thread.Charge((KernelCosts.RequestLines - 1) * Machine.CostOfLine(before, thread.Cpu));
            request.Links.Touch(thread);
        }

        request.Cpu = thread.Cpu;
    }

    /// <summary>Looks up, holds and releases the pages of a process's memory that so many bytes lie in, as each copy of a message does.</summary>
    public void Pin(SimThread thread, int bytes)
    {
        Hold(thread, bytes);
        Release(thread, bytes);
    }

    /// <summary>
    /// Looks up and holds pages for direct I/O. Of what a page costs this is taken for half: in profiles of 1 MiB reads it took 4.4 % of the
    /// samples, and releasing 3.8 %.
    /// </summary>
    public void Hold(SimThread thread, int bytes) => thread.Charge(Pages(bytes) * (Costs.PinnedPage / 2));

    /// <summary>Marks the pages as dirty and releases them: who ends a request that nobody waits for does so (<c>fuse_aio_complete_req</c>).</summary>
    public void Release(SimThread thread, int bytes) => thread.Charge(Pages(bytes) * (Costs.PinnedPage - (Costs.PinnedPage / 2)));

    private static int Pages(int bytes) => (bytes + PageBytes - 1) / PageBytes;

    /// <summary>What goes before requests: interrupts, and forgets if it is their turn. Null if there is nothing.</summary>
    public KernelRequest? TakeUrgent(bool forgetsToo)
    {
        if (_interrupts.TryDequeue(out ulong unique))
        {
            KernelRequest interrupt = Rent(Opcode.Interrupt, 0);
            interrupt.Header.Unique = unique | InterruptBit;
            interrupt.Add(new InterruptIn { Unique = unique });
            interrupt.Seal();
            return interrupt;
        }

        return forgetsToo && Forgets.Count > 0 ? Forgets.Take(MessageBytes) : null;
    }

    /// <summary>The daemon has answered: ends the request on the answering thread, which pays for waking who waits.</summary>
    [AsyncMethodBuilder(typeof(SimMethodBuilder))]
    public async ValueTask End(SimThread thread, KernelRequest request, Errno error, ReadOnlyMemory<byte> payload)
    {
        request.Take(error, payload.Span);
        _waitingCount.Touch(thread);
        Waiting--;
        Ended++;
        bool isBackground = request.IsBackground;
        if (request.Waiter is { } waiter)
        {
            await thread.Wake(waiter);
        }
        else if (request.End is { } end)
        {
            await end(thread, request);
        }

        if (isBackground)
        {
            await Background.Ended(thread);
            Return(request);
        }
    }

    private ValueTask Interrupt(SimThread thread, KernelRequest request)
    {
        _interrupts.Enqueue(request.Header.Unique);
        return Queue.PutUrgent(thread);
    }

    private static void Identify(KernelTask task, KernelRequest request)
    {
        request.Header.Pid = task.Pid;
        request.Header.Uid = task.Uid;
        request.Header.Gid = task.Gid;
    }
}
