using System.Runtime.CompilerServices;
using Harness.Simulation.Machines;
using Harness.Transport.Simulated.Requests;

namespace Harness.Transport.Simulated.Queues;

/// <summary>The single lock of old: until Linux 4.2 <c>fc->lock</c> guarded input and processing alike.</summary>
internal sealed class GlobalLockQueue : RequestQueue
{
    private readonly SimSpinLock _lock;
    private readonly InputQueue _input;

    public GlobalLockQueue(FuseConnection connection)
    {
        _lock = new SimSpinLock(connection.Machine, "fc");
        _input = new InputQueue(connection, "the connection", new QueueGuard(_lock));
    }

    public override ValueTask Put(SimThread sender, KernelRequest request) => _input.Put(sender, request);

    public override ValueTask PutUrgent(SimThread sender) => _input.Put(sender, null);

    public override ValueTask<KernelRequest> Take(SimThread reader, int index) => _input.Take(reader);

    public override ValueTask<KernelRequest?> TryTake(SimThread reader, int index) => _input.TryTake(reader);

    public override ValueTask Keep(SimThread reader, int index, KernelRequest request) => Touch(reader);

    public override ValueTask Find(SimThread answerer, int index, KernelRequest request) => Touch(answerer);

    [AsyncMethodBuilder(typeof(SimMethodBuilder))]
    private async ValueTask Touch(SimThread thread)
    {
        await _lock.Acquire(thread);
        _lock.Release(thread);
    }
}
