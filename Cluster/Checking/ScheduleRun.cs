using Harness.Cluster.Chunks;
using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;
using Harness.Simulation.Scheduling;
using Mono.Unix.Native;

namespace Harness.Cluster.Checking;

/// <summary>What has become of a schedule.</summary>
/// <param name="Schedule">The schedule.</param>
/// <param name="Violations">What must not be, and was; none if all is well.</param>
/// <param name="Operations">How many operations were asked.</param>
/// <param name="SimulatedNanoseconds">How long the world has lived.</param>
internal sealed record ScheduleResult(Schedule Schedule, IReadOnlyList<Violation> Violations, int Operations, long SimulatedNanoseconds);

/// <summary>Runs a schedule in a world of its own, on the calling thread, and checks what came of it.</summary>
internal sealed class ScheduleRun
{
    private const long Second = 1_000_000_000;
    private const long StartNanoseconds = 60 * Second;

    /// <summary>Above all that faults, operations and retries can last.</summary>
    private const long RunNanoseconds = 400 * Second;

    /// <summary>Once all is well again, so long until every replica is where it should be.</summary>
    private const long SettleNanoseconds = 120 * Second;

    private static readonly RequestContext s_root = new(0, 0);

    private readonly Schedule _schedule;
    private readonly CheckedCluster _cluster;
    private readonly History _history;
    private readonly List<Violation> _violations = [];
    private Subjects _subjects = null!;

    private ScheduleRun(Schedule schedule, PlantedFaults faults, Action<string> note)
    {
        _schedule = schedule;
        _cluster = new CheckedCluster(schedule, faults, note);
        _history = new History(_cluster.World);
    }

    /// <summary>Runs a schedule.</summary>
    /// <param name="schedule">The schedule.</param>
    /// <param name="faults">Planted bugs; by default none.</param>
    /// <param name="note">Is told what happens, a line for each thing, with the time; by default nobody is.</param>
    public static ScheduleResult Execute(Schedule schedule, PlantedFaults? faults = null, Action<string>? note = null)
    {
        var run = new ScheduleRun(schedule, faults ?? PlantedFaults.None, note ?? (static _ => { }));
        run.ExecuteAll();
        return new ScheduleResult(schedule, run._violations, run._history.Calls.Count, run._cluster.World.NowNanoseconds);
    }

    private void ExecuteAll()
    {
        try
        {
            Prepare();
            Work();
            Settle();
            ReadEverything();
            _violations.AddRange(RestingCluster.Check(_cluster));
        }
        catch (DeadlockException exception)
        {
            string[] waiting = [.. _history.Calls.Where(static call => call.IsOpen && call.Error == Errnos.Ok).Select(static call => call.ToString())];
            string[] lines = exception.Message.Split('\n');
            string what = Array.Find(lines, static line => line.Contains("the experimenter", StringComparison.Ordinal)) ?? lines[0];
            _violations.Add(new Violation($"something is stuck: {what.Trim()}", [.. waiting, .. _cluster.Explain()]));
        }
#pragma warning disable CA1031 // Whatever the code under test throws is what the check looks for.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            _violations.Add(new Violation($"{exception.GetType().Name}: {exception.Message}", exception.ToString().Split('\n')));
        }

        foreach (Call call in _history.Calls.Where(static call => call.IsOpen && call.Error != Errnos.Ok))
        {
            _violations.Add(new Violation($"an operation failed with {call.Error} although every fault has healed in time: {call}", []));
        }

        _violations.AddRange(HistoryChecker.Check(_history.Calls));
    }

    /// <summary>Makes files, directories and chunks.</summary>
    private void Prepare()
    {
        CheckedClient first = _cluster.Clients[0];
        _cluster.World.RunUntil(
            () => _cluster.Metadata is not null && _cluster.IsHealthy, "the start of the cluster", _cluster.World.NowNanoseconds + StartNanoseconds);
        foreach (CheckedClient client in _cluster.Clients)
        {
            Errno error = _cluster.Run(client.Loop, async () => await client.Client.Open(), "a client's session", StartNanoseconds);
            Require(error, "open a session");
        }

        _subjects = _cluster.Run(first.Loop, () => MakeSubjects(first.FileSystem), "files and directories", StartNanoseconds);
    }

    private async Task<Subjects> MakeSubjects(IFileSystem fileSystem)
    {
        var files = new ulong[Schedule.Files + 1];
        for (int i = 0; i < files.Length; i++)
        {
            files[i] = (await MakeFile(fileSystem, $"file{i}")).Nodeid;
        }

        var directories = new ulong[Schedule.Directories];
        for (int i = 0; i < directories.Length; i++)
        {
            Result<EntryOut> made = await fileSystem.Mkdir(s_root, NodeId.Root, System.Text.Encoding.UTF8.GetBytes($"d{i}"), new MkdirIn { Mode = 0x1ED });
            Require(made.Error, "make a directory");
            directories[i] = made.Value.Nodeid;
        }

        // The last file is there for its chunks alone; nobody touches it through the file system again.
        ulong raw = files[Schedule.Files];
        var zeros = new byte[Schedule.RawChunks * Schedule.ChunkCells * Call.CellBytes];
        Require((await fileSystem.Write(s_root, new NodeId(raw), default, zeros)).Error, "write the chunks");
        Require(await fileSystem.Fsync(s_root, new NodeId(raw), default), "sync the chunks");
        ulong[] chunks =
        [
            .. _cluster.State.ChunkIds.Order().Where(chunk => _cluster.State.TryGetChunk(chunk, out Metadata.ChunkRecord record) && record.Inode == raw),
        ];
        return new Subjects(files[..Schedule.Files], directories, chunks);
    }

    private static async Task<EntryOut> MakeFile(IFileSystem fileSystem, string name)
    {
        var create = new CreateIn { Flags = (uint)(OpenFlags.O_RDWR | OpenFlags.O_CREAT), Mode = 0x81A4 };
        Result<CreateOut> made = await fileSystem.Create(s_root, NodeId.Root, System.Text.Encoding.UTF8.GetBytes(name), create);
        Require(made.Error, "make a file");
        return made.Value.Entry;
    }

    private void Work()
    {
        Lane[] lanes = [.. Enumerable.Range(0, Schedule.Lanes).Select(LaneOf)];
        var driver = new FaultDriver(_cluster, _schedule.Faults);
        foreach (Lane lane in lanes)
        {
            lane.Start();
        }

        driver.Start();
        long until = _cluster.World.NowNanoseconds + RunNanoseconds;
        _cluster.World.RunUntil(() => driver.IsDone && lanes.All(static lane => lane.IsDone), "the end of all operations", until);
    }

    private Lane LaneOf(int number) => new(
        _cluster,
        _cluster.Clients[number % Schedule.Clients],
        _subjects,
        _history,
        [.. _schedule.Operations.Where(operation => operation.Lane == number)]);

    /// <summary>Writes what waits, and lets the cluster become whole again.</summary>
    private void Settle()
    {
        foreach (CheckedClient client in _cluster.Clients.Where(static client => !client.IsDead))
        {
            foreach (ulong file in _subjects.Files)
            {
                Errno error = _cluster.Run(
                    client.Loop, async () => await client.FileSystem.Fsync(s_root, new NodeId(file), default), "an fsync", SettleNanoseconds);
                if (error != Errnos.Ok)
                {
                    _violations.Add(new Violation($"{client.Host} could not write file {file}: {error}", []));
                }
            }
        }

        _cluster.World.RunUntil(() => _cluster.IsHealthy, "all replicas of all chunks", _cluster.World.NowNanoseconds + SettleNanoseconds);
        _cluster.World.RunUntil(_cluster.World.NowNanoseconds + Second);
    }

    private void ReadEverything()
    {
        var last = new List<Operation>();
        for (int i = 0; i < Schedule.Files; i++)
        {
            last.Add(new Operation(0, OperationKind.Size, 0, i, 0));
            last.Add(new Operation(0, OperationKind.Read, 0, i, 0, Schedule.FileCells));
        }

        for (int i = 0; i < _subjects.Chunks.Length; i++)
        {
            last.Add(new Operation(0, OperationKind.ChunkRead, 0, i, 0, 2 * Call.CellsPerBlock));
        }

        for (int i = 0; i < Schedule.Directories; i++)
        {
            last.Add(new Operation(0, OperationKind.List, 0, i, 0));
        }

        foreach (CheckedClient client in _cluster.Clients.Where(static client => !client.IsDead))
        {
            var lane = new Lane(_cluster, client, _subjects, _history, last);
            lane.Start();
            _cluster.World.RunUntil(() => lane.IsDone, "the last reads", _cluster.World.NowNanoseconds + SettleNanoseconds);
        }
    }

    private static void Require(Errno error, string what)
    {
        if (error != Errnos.Ok)
        {
            throw new InvalidOperationException($"The world could not be made: {what}: {error}.");
        }
    }
}
