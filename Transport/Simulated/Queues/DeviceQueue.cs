using Harness.Simulation.Machines;
using Harness.Transport.Simulated.Requests;

namespace Harness.Transport.Simulated.Queues;

/// <summary>
/// <c>/dev/fuse</c> as Linux has it: one input queue under one lock, and a processing queue under a lock of its own, which all readers
/// share or, with cloned descriptors, each has for itself (<c>struct fuse_iqueue</c>, <c>struct fuse_pqueue</c>).
/// </summary>
internal sealed class DeviceQueue : RequestQueue
{
    private readonly InputQueue _input;
    private readonly ProcessingQueue[] _processing;

    /// <summary>One processing queue for all, or with clones one for each reader.</summary>
    public DeviceQueue(FuseConnection connection, int processingQueues)
    {
        _input = new InputQueue(connection, "the input queue", new QueueGuard(new SimSpinLock(connection.Machine, "fiq")));
        _processing = [.. Enumerable.Range(0, processingQueues).Select(i => new ProcessingQueue(connection.Machine, $"fpq {i}"))];
    }

    public override ValueTask Put(SimThread sender, KernelRequest request) => _input.Put(sender, request);

    public override ValueTask PutUrgent(SimThread sender) => _input.Put(sender, null);

    public override ValueTask<KernelRequest> Take(SimThread reader, int index) => _input.Take(reader);

    public override ValueTask<KernelRequest?> TryTake(SimThread reader, int index) => _input.TryTake(reader);

    public override ValueTask Keep(SimThread reader, int index, KernelRequest request) => Processing(index).Keep(reader, request);

    public override ValueTask Find(SimThread answerer, int index, KernelRequest request) => Processing(index).Find(answerer, request);

    private ProcessingQueue Processing(int index) => _processing[index % _processing.Length];
}
