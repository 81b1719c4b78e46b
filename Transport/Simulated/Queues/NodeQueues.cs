using System.Runtime.CompilerServices;
using Harness.Simulation.Machines;
using Harness.Transport.Simulated.Requests;

namespace Harness.Transport.Simulated.Queues;

/// <summary>A queue and a lock for each NUMA node, served by the daemon's threads of that node. No released kernel has it.</summary>
internal sealed class NodeQueues : RequestQueue
{
    private readonly Machine _machine;
    private readonly SimSpinLock[] _locks;
    private readonly InputQueue[] _input;

    public NodeQueues(FuseConnection connection)
    {
        _machine = connection.Machine;
        _locks = [.. _machine.Nodes.Select(node => new SimSpinLock(_machine, $"node {node.Id}"))];
        _input = [.. _machine.Nodes.Select(node => new InputQueue(connection, $"node {node.Id}", new QueueGuard(_locks[node.Id])))];
    }

    public override CpuSet Home(int reader) => _machine.Nodes[NodeOf(reader)].Cpus;

    public override ValueTask Put(SimThread sender, KernelRequest request)
    {
        request.Queue = sender.Cpu.Node.Id;
        return _input[request.Queue].Put(sender, request);
    }

    public override ValueTask PutUrgent(SimThread sender) => _input[sender.Cpu.Node.Id].Put(sender, null);

    public override ValueTask<KernelRequest> Take(SimThread reader, int index) => _input[NodeOf(index)].Take(reader);

    public override ValueTask<KernelRequest?> TryTake(SimThread reader, int index) => _input[NodeOf(index)].TryTake(reader);

    public override ValueTask Keep(SimThread reader, int index, KernelRequest request) => Touch(reader, index);

    public override ValueTask Find(SimThread answerer, int index, KernelRequest request) => Touch(answerer, index);

    [AsyncMethodBuilder(typeof(SimMethodBuilder))]
    private async ValueTask Touch(SimThread thread, int index)
    {
        SimSpinLock own = _locks[NodeOf(index)];
        await own.AcquireCharged(thread);
        own.TouchBeside(thread);
        own.Release(thread);
    }

    private int NodeOf(int reader) => reader % _input.Length;
}
