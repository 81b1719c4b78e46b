using Harness.FuseProtocol;
using Harness.Simulation.Machines;
using Harness.Transport.Simulated.Calls;
using Harness.Transport.Simulated.Channels;
using Harness.Transport.Simulated.Files;
using Harness.Transport.Simulated.Names;
using Harness.Transport.Simulated.Pages;
using Harness.Transport.Simulated.Queues;
using Harness.Transport.Simulated.Requests;
using Mono.Unix.Native;

namespace Harness.Transport.Simulated;

/// <summary>
/// A FUSE mount on a simulated machine: a kernel that turns system calls of simulated threads into messages as Linux 6.18 does, and the
/// daemon's threads that hand these to a session.
/// </summary>
/// <remarks>What is modelled and what is refused: <c>docs/simulator.md</c>, "The simulated kernel".</remarks>
public sealed class SimulatedMount : IDisposable
{
    private readonly FuseConnection _connection;
    private readonly SimulatedChannel _channel;

    /// <summary>A mount whose daemon runs; <see cref="Start"/> sends INIT.</summary>
    /// <param name="machine">Where kernel, daemon and applications run.</param>
    /// <param name="options">How it is made.</param>
    /// <param name="handler">What serves it: a <see cref="FuseSession"/>, or what stands before one.</param>
    public SimulatedMount(Machine machine, SimulatedMountOptions options, IRequestHandler handler)
    {
        Options = options;
        _connection = new FuseConnection(machine, options.Kernel);
        _connection.Queue = QueueDesigns.Create(options.QueueDesign, _connection, options.Threads);
        _channel = new SimulatedChannel(_connection, options);
        var inodes = new InodeTable(_connection);
        var attributes = new AttributeCache(_connection, inodes);
        var files = new FileReleases(_connection, inodes);
        var writeback = new Writeback(_connection, attributes, files.Unused);
        files.Writeback = writeback;
        var ended = new ReadEnd(inodes, files.Unused);
        var readahead = new Readahead(_connection, ended);
        var reads = new BufferedReads(_connection, readahead, ended);
        var through = new ThroughWrites(_connection, inodes);
        var flusher = new Flusher(_connection, writeback);
        Calls = new SystemCalls(new KernelRooms
        {
            Connection = _connection,
            Inodes = inodes,
            Attributes = attributes,
            Walk = new PathWalk(_connection, inodes, attributes),
            Files = files,
            Writeback = writeback,
            Readahead = readahead,
            Reads = reads,
            Through = through,
            Back = new BackWrites(_connection, inodes, reads, flusher),
            Direct = new DirectIo(_connection, inodes, writeback, through, files.Unused),
        });
        _channel.Run(handler, CancellationToken.None);
    }

    /// <summary>What it was made with.</summary>
    public SimulatedMountOptions Options { get; }

    /// <summary>The system calls that simulated threads can make on it.</summary>
    public SystemCalls Calls { get; }

    /// <summary>Requests made and not answered, as <c>/sys/fs/fuse/connections/N/waiting</c> counts them.</summary>
    public int Waiting => _connection.Waiting + _connection.Forgets.Count;

    /// <summary>Requests answered so far.</summary>
    public long Answered => _connection.Ended;

    /// <summary>Rules of the kernel that are broken on purpose.</summary>
    internal KernelFault Faults
    {
        get => _connection.Faults;
        set => _connection.Faults = value;
    }

    /// <summary>Sends INIT and waits for what was agreed; to be awaited by the thread that mounts.</summary>
    public ValueTask<Errno> Start(KernelTask task) => _connection.Start(task, Options.ReadaheadBytes);

    /// <summary>Ends the daemon's threads.</summary>
    public void Dispose() => _channel.Dispose();
}
