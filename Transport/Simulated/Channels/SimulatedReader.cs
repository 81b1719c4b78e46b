using System.Runtime.CompilerServices;
using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;
using Harness.Simulation.Machines;
using Harness.Transport.Simulated.Queues;
using Harness.Transport.Simulated.Requests;

namespace Harness.Transport.Simulated.Channels;

/// <summary>One thread of the simulated daemon: takes messages, has them handled, and sends what was answered at once.</summary>
internal sealed class SimulatedReader(FuseConnection connection, SimulatedChannel channel, int index, int slotsMax, AdaptiveSpin spin)
{
    private readonly Stack<SimulatedSlot> _free = new();
    private readonly SimWaitQueue _slotBack = new("a slot of the daemon");
    private SimulatedSlot? _handling;
    private AdaptiveSpin _spin = spin;
    private int _slots;

    /// <summary>Its number.</summary>
    public int Index { get; } = index;

    /// <summary>Reads and handles messages for ever.</summary>
    public async ValueTask Run(SimThread thread, IRequestHandler handler)
    {
        RequestQueue queue = connection.Queue;
        while (true)
        {
            while (_free.Count == 0 && _slots == slotsMax)
            {
                await _slotBack.Wait(thread);
            }

            KernelRequest request = await Receive(thread, queue);
            thread.Charge(connection.Machine.Costs.SystemCall.Nanoseconds + connection.Costs.Serve);
            connection.Fetch(thread, request);
            await CopyIn(thread, request);
            await queue.Keep(thread, Index, request);
            await thread.LeaveKernelCharged();
            await Handle(thread, handler, request);
        }
    }

    /// <summary>A slot has been answered; who did so outside of the reader's own call leaves the sending to the channel.</summary>
    public void Answered(SimulatedSlot slot)
    {
        if (_handling != slot)
        {
            channel.SendLater(this, slot);
        }
    }

    /// <summary>
    /// Sends an answer to the kernel, on the daemon's thread that has it. With rings the same system call then waits for the next request, so
    /// the thread stays in the kernel.
    /// </summary>
    [AsyncMethodBuilder(typeof(SimMethodBuilder))]
    public async ValueTask Send(SimThread thread, SimulatedSlot slot)
    {
        KernelRequest request = slot.Request!;
        thread.EnterKernel();
        if (slot.HasReply && request.Header.Opcode != Opcode.Interrupt)
        {
            RequestQueue queue = connection.Queue;
            if (queue.SystemCallsPerRequest > 1)
            {
                thread.Charge(connection.Machine.Costs.SystemCall.Nanoseconds);
            }

            await queue.Find(thread, Index, request);
            if (queue.CopiesData || request.Into.Count == 0)
            {
                connection.Pin(thread, slot.Length);
                await thread.CopyCharged(OutHeader.Size + slot.Length, thread.Cpu.Node.Id, request.Node);
            }

            await connection.End(thread, request, slot.Error, slot.Answer);
        }
        else
        {
            connection.Return(request);
        }

        _free.Push(slot);
        await _slotBack.WakeOne(thread);
        if (connection.Queue.SystemCallsPerRequest > 1)
        {
            await thread.LeaveKernelCharged();
        }
    }

    /// <summary>Waits for the next message: awake for a while where that pays, by the real channels' own rule, and then asleep.</summary>
    private ValueTask<KernelRequest> Receive(SimThread thread, RequestQueue queue)
    {
        thread.EnterKernel();
        return _spin.TryBegin() ? Spin(thread, queue) : queue.Take(thread, Index);
    }

    [AsyncMethodBuilder(typeof(SimMethodBuilder<>))]
    private async ValueTask<KernelRequest> Spin(SimThread thread, RequestQueue queue)
    {
        long call = connection.Machine.Costs.SystemCall.Nanoseconds;
        KernelRequest? found = await queue.TryTake(thread, Index);
        while (found is null && _spin.Continue(connection.Now))
        {
            // A look and sched_yield(2): a system call each. A ring's thread looks at memory, but the yield costs it as much.
            thread.Charge(queue.SystemCallsPerRequest * call);
            await thread.LeaveKernel();
            await thread.Yield();
            thread.EnterKernel();
            found = await queue.TryTake(thread, Index);
        }

        _spin.End(found is not null);
        return found ?? await queue.Take(thread, Index);
    }

    private ValueTask CopyIn(SimThread thread, KernelRequest request)
    {
        bool copies = connection.Queue.CopiesData || request.Data.Count == 0;
        if (copies)
        {
            connection.Pin(thread, request.Length);
        }

        return thread.CopyCharged(copies ? request.Length : InHeader.Size, request.Node, thread.Cpu.Node.Id);
    }

    private ValueTask Handle(SimThread thread, IRequestHandler handler, KernelRequest request)
    {
        if (!_free.TryPop(out SimulatedSlot? slot))
        {
            slot = new SimulatedSlot(this, connection.MessageBytes);
            _slots++;
        }
        else if (slot.ReplyBuffer.Length < connection.MessageBytes)
        {
            // Made for INIT, before the size of messages was known.
            slot = new SimulatedSlot(this, connection.MessageBytes);
        }

        request.IsSent = true;
        slot.Load(request);
        _handling = slot;
        thread.Charge(connection.Costs.DispatchOf(request.Header.Opcode, request.OutMax));
        handler.Handle(slot);
        _handling = null;
        return slot.IsAnswered ? Send(thread, slot) : default;
    }
}
