using Harness.Simulation.Machines;
using Harness.Transport.Simulated.Requests;

namespace Harness.Transport.Simulated.Queues;

/// <summary>
/// A queue for each CPU, served by a thread of the daemon that stays there; answer and next request travel in one system call, as with
/// FUSE over io_uring (fs/fuse/dev_uring.c). What the variants differ in is how a queue is guarded and whether data are copied.
/// </summary>
internal sealed class CpuQueues : RequestQueue
{
    private readonly InputQueue[] _input;
    private readonly CpuSet[] _places;

    private CpuQueues(
        FuseConnection connection, Func<Machine, int, QueueGuard> guard, bool copiesData, BackgroundLocking locking = BackgroundLocking.Counters)
    {
        BackgroundLocking = locking;
        Machine machine = connection.Machine;
        _input = [.. machine.Cpus.Select(cpu => new InputQueue(connection, $"CPU {cpu.Id}", guard(machine, cpu.Id)))];
        _places = [.. machine.Cpus.Select(cpu => CpuSet.Of(cpu.Id))];
        CopiesData = copiesData;
    }

    /// <inheritdoc/>
    public override int SystemCallsPerRequest => 1;

    /// <inheritdoc/>
    public override bool CopiesData { get; }

    /// <inheritdoc/>
    public override BackgroundLocking BackgroundLocking { get; }

    public override int? Readers => _input.Length;

    /// <summary>FUSE over io_uring: each queue under a lock of its own.</summary>
    public static CpuQueues Rings(FuseConnection connection) =>
        new(connection, static (machine, cpu) => new QueueGuard(new SimSpinLock(machine, $"ring {cpu}")), copiesData: true);

    /// <summary>Queues without locks. No released kernel has it; RFUSE (FAST'24) describes one.</summary>
    public static CpuQueues LockFree(FuseConnection connection) =>
        new(connection, static (machine, _) => new QueueGuard(new SimCacheLine(machine)), copiesData: true, BackgroundLocking.None);

    /// <summary>Rings whose data lie in buffers that kernel and daemon share (protocol 7.46).</summary>
    public static CpuQueues ZeroCopy(FuseConnection connection) =>
        new(connection, static (machine, cpu) => new QueueGuard(new SimSpinLock(machine, $"ring {cpu}")), copiesData: false);

    public override bool IsRing => true;

    public override CpuSet Home(int reader) => _places[reader];

    public override ValueTask Put(SimThread sender, KernelRequest request)
    {
        request.Queue = sender.Cpu.Id;
        return _input[request.Queue].Put(sender, request);
    }

    public override ValueTask PutUrgent(SimThread sender) => _input[sender.Cpu.Id].Put(sender, null);

    public override ValueTask<KernelRequest> Take(SimThread reader, int index) => _input[index].Take(reader);

    public override ValueTask<KernelRequest?> TryTake(SimThread reader, int index) => _input[index].TryTake(reader);

    // An entry of a ring stays with its request, so there is nothing to look up.
    public override ValueTask Keep(SimThread reader, int index, KernelRequest request) => default;

    public override ValueTask Find(SimThread answerer, int index, KernelRequest request) => default;
}
