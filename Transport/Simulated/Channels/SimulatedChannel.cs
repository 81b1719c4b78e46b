using Harness.FuseProtocol;
using Harness.Simulation.Machines;
using Harness.Transport.Simulated.Requests;

namespace Harness.Transport.Simulated.Channels;

/// <summary>The daemon's side of a simulated connection: threads that take messages by the mount's queue design.</summary>
/// <remarks>
/// An answer that comes from elsewhere than the thread that took the request, such as a loop that waits for a store, is sent by one
/// thread of the channel's own, which stands for the loop's system calls.
/// </remarks>
internal sealed class SimulatedChannel : IFuseChannel
{
    private readonly FuseConnection _connection;
    private readonly SimulatedReader[] _readers;
    private readonly SimulatedMountOptions _options;
    private readonly Queue<(SimulatedReader Reader, SimulatedSlot Slot)> _late = new();
    private readonly List<SimThread> _threads = [];
    private SimThread? _sender;

    public SimulatedChannel(FuseConnection connection, SimulatedMountOptions options)
    {
        _connection = connection;
        _options = options;
        int readers = connection.Queue.Readers ?? options.Threads;
        int slots = connection.Queue.IsRing ? options.QueueDepth : options.SlotsMax;
        // Of the threads that read one queue one at a time spins; the thread of a CPU's own queue has a turn of its own.
        bool hasOwnQueue = connection.Queue.Readers is not null;
        var turn = new SpinTurn();
        _readers =
        [
            .. Enumerable.Range(0, readers).Select(i => new SimulatedReader(
                connection, this, i, slots, new AdaptiveSpin(options.Spin, hasOwnQueue ? new SpinTurn() : turn, onlyIdle: !hasOwnQueue))),
        ];
    }

    /// <summary>Starts the daemon's threads and returns.</summary>
    public void Run(IRequestHandler handler, CancellationToken cancellationToken)
    {
        foreach (SimulatedReader reader in _readers)
        {
            _threads.Add(_connection.Machine.StartThread(
                $"daemon {reader.Index}", thread => reader.Run(thread, handler), Placement(reader.Index), isService: true));
        }
    }

    /// <summary>Ends the daemon's threads where they stand.</summary>
    public void Dispose()
    {
        foreach (SimThread thread in _threads)
        {
            thread.Kill();
        }

        _sender?.Kill();
    }

    /// <summary>Sends an answer that came later.</summary>
    public void SendLater(SimulatedReader reader, SimulatedSlot slot)
    {
        _late.Enqueue((reader, slot));
        _sender ??= _connection.Machine.StartThread("daemon replies", SendLate, _options.DaemonCpus, isService: true);
        _connection.Machine.Interrupt(_sender);
    }

    private CpuSet? Placement(int reader)
    {
        Machine machine = _connection.Machine;
        CpuSet? home = _connection.Queue.Home(reader);
        return _options.Affinity switch
        {
            Runtime.Affinity.Cpu when home is not null => CpuSet.Of(home.First + (reader / machine.Nodes.Count % home.Count)),
            Runtime.Affinity.Cpu => CpuSet.Of(reader % machine.Cpus.Count),
            Runtime.Affinity.Numa when home is not null => machine.Cpus[home.First].Node.Cpus,
            Runtime.Affinity.Numa => machine.Nodes[reader % machine.Nodes.Count].Cpus,
            Runtime.Affinity.Auto when home is not null => home,
            _ => _options.DaemonCpus,
        };
    }

    private async ValueTask SendLate(SimThread thread)
    {
        while (true)
        {
            while (_late.TryDequeue(out (SimulatedReader Reader, SimulatedSlot Slot) late))
            {
                await late.Reader.Send(thread, late.Slot);
                await thread.LeaveKernel();
            }

            await thread.Block("an answer of the file system");
        }
    }
}
