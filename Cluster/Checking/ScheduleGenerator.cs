using Harness.Simulation.Chance;

namespace Harness.Cluster.Checking;

/// <summary>Makes a schedule of a seed.</summary>
internal static class ScheduleGenerator
{
    private const long Millisecond = 1_000_000;
    private const int OperationsPerLaneMax = 45;
    private const int FaultsMax = 5;
    private const double ClientDeathChance = 0.2;

    private static readonly (OperationKind Kind, int Weight)[] s_fileKinds =
    [
        (OperationKind.Write, 10), (OperationKind.Read, 10), (OperationKind.Truncate, 2), (OperationKind.Punch, 2), (OperationKind.Size, 2),
        (OperationKind.Sync, 2), (OperationKind.Create, 4), (OperationKind.LookUp, 3), (OperationKind.Unlink, 2), (OperationKind.Rename, 4),
        (OperationKind.MakeDirectory, 1), (OperationKind.RemoveDirectory, 1), (OperationKind.Link, 2), (OperationKind.List, 2),
    ];

    private static readonly (OperationKind Kind, int Weight)[] s_chunkKinds =
    [
        (OperationKind.ChunkWrite, 8), (OperationKind.ChunkRead, 12), (OperationKind.ChunkPunch, 1),
    ];

    private static readonly (FaultKind Kind, int Weight)[] s_faultKinds =
    [
        (FaultKind.Crash, 6), (FaultKind.PowerLoss, 5), (FaultKind.CrashAll, 3), (FaultKind.Isolate, 5), (FaultKind.CutFromMetadata, 3),
        (FaultKind.LeaveToClients, 4), (FaultKind.CutFromNeighbour, 3), (FaultKind.Mute, 2), (FaultKind.CutFromClient, 2),
        (FaultKind.RestartMetadata, 2), (FaultKind.MetadataPowerLoss, 1), (FaultKind.Rot, 2), (FaultKind.SlowDisk, 1), (FaultKind.BadNetwork, 2),
    ];

    /// <summary>The schedule of a seed, always the same.</summary>
    public static Schedule Generate(ulong seed)
    {
        var random = new SimRandom(seed).Split("schedule");
        int servers = random.Chance(0.4) ? 4 : 3;
        var operations = new List<Operation>();
        long pauseMax = (long)(Millisecond * Math.Pow(10, 1 + (random.NextDouble() * 1.7)));
        for (int lane = 0; lane < Schedule.Lanes; lane++)
        {
            int count = 10 + random.Next(OperationsPerLaneMax - 10);
            for (int i = 0; i < count; i++)
            {
                operations.Add(lane < Schedule.Clients ? FileOperation(random, lane, pauseMax) : ChunkOperation(random, lane, pauseMax));
            }
        }

        List<Fault> faults = [.. Enumerable.Range(0, 1 + random.Next(FaultsMax)).Select(_ => NextFault(random, servers))];
        AddClientDeath(new SimRandom(seed).Split("clients"), operations, faults);
        return new Schedule(seed, servers, operations, faults);
    }

    /// <summary>In some schedules a client dies, before one of the faults or after the last. The others' chances do not depend on it.</summary>
    private static void AddClientDeath(SimRandom random, List<Operation> operations, List<Fault> faults)
    {
        if (!random.Chance(ClientDeathChance))
        {
            return;
        }

        int client = random.Next(Schedule.Clients);
        faults.Insert(random.Next(faults.Count + 1), new Fault(PauseOf(random), FaultKind.ClientDeath, 0, client, 0));
        for (int i = 0; i < operations.Count; i++)
        {
            operations[i] = operations[i].Lane == client ? operations[i] with { IsDirect = true } : operations[i];
        }
    }

    private static long PauseOf(SimRandom random) => (long)(Millisecond * Math.Pow(10, random.NextDouble() * 3.5));

    private static Operation FileOperation(SimRandom random, int lane, long pauseMax)
    {
        OperationKind kind = Pick(random, s_fileKinds);
        long pause = random.NextInt64(pauseMax);
        if (kind >= OperationKind.Create)
        {
            (int directory, int name) = (random.Next(Schedule.Directories), random.Next(Schedule.Names));
            return new Operation(lane, kind, pause, directory, name, 0, random.Next(Schedule.Directories), random.Next(Schedule.Names));
        }

        int file = random.Next(Schedule.Files);
        (int first, int count) = Range(random, Schedule.FileCells);
        return kind == OperationKind.Truncate
            ? new Operation(lane, kind, pause, file, random.Next(Schedule.FileCells + 1))
            : new Operation(lane, kind, pause, file, first, count, IsDirect: random.Chance(0.4));
    }

    private static Operation ChunkOperation(SimRandom random, int lane, long pauseMax)
    {
        // Few blocks, so that the lanes meet.
        (int first, int count) = Range(random, 2 * Call.CellsPerBlock);
        return new Operation(lane, Pick(random, s_chunkKinds), random.NextInt64(pauseMax), random.Next(Schedule.RawChunks), first, count);
    }

    private static (int First, int Count) Range(SimRandom random, int cells)
    {
        int first = random.Next(cells);
        int count = 1 + random.Next(Math.Min(cells - first, random.Chance(0.2) ? cells : 6));
        if (random.Chance(0.5))
        {
            first -= first % Call.CellsPerBlock;
            count = Math.Min(cells - first, (count + Call.CellsPerBlock - 1) / Call.CellsPerBlock * Call.CellsPerBlock);
        }

        return (first, count);
    }

    private static Fault NextFault(SimRandom random, int servers)
    {
        int server = random.Next(servers);
        int other = (server + 1 + random.Next(servers - 1)) % servers;
        // As often short as long: below a lease's length nobody may notice, above it the chain changes.
        long lasts = (long)(Millisecond * Math.Pow(10, 0.5 + (random.NextDouble() * 3.5)));
        long pause = PauseOf(random);
        return new Fault(pause, Pick(random, s_faultKinds), server, other, lasts);
    }

    private static T Pick<T>(SimRandom random, (T Value, int Weight)[] from)
    {
        int left = random.Next(from.Sum(static one => one.Weight));
        int i = 0;
        while (left >= from[i].Weight)
        {
            left -= from[i++].Weight;
        }

        return from[i].Value;
    }
}
