namespace Harness.Cluster.Checking;

/// <summary>Something that must not be.</summary>
/// <param name="What">What, for people.</param>
/// <param name="Story">The calls that show it, in order; none if it does not show in calls.</param>
internal sealed record Violation(string What, IReadOnlyList<string> Story);

/// <summary>
/// Checks a history part by part: each block of each file and chunk, each file's size, and the names of directories that renames and links connect. A
/// history is linearizable if and only if each of its objects is (Herlihy and Wing, "Linearizability", TOPLAS 12, 1990).
/// </summary>
internal static class HistoryChecker
{
    /// <summary>Looks for the parts of a history that no order explains.</summary>
    public static IEnumerable<Violation> Check(IReadOnlyList<Call> history)
    {
        foreach (IGrouping<ulong, Call> file in history.Where(static call => call.Kind <= OperationKind.Sync).GroupBy(static call => call.Subject))
        {
            Call[] calls = [.. file.Where(Matters)];
            foreach (Violation violation in CheckBlocks([.. calls, .. HalfDone(calls)], $"file {file.Key}", isChunk: false).Concat(
                CheckPart(new SizeModel(), [.. calls.Where(static call => call.Kind != OperationKind.Punch)], $"the size of file {file.Key}")))
            {
                yield return violation;
            }
        }

        IEnumerable<Call> onChunks = history.Where(static call => call.Kind is OperationKind.ChunkRead or OperationKind.ChunkWrite or OperationKind.ChunkPunch);
        foreach (IGrouping<ulong, Call> chunk in onChunks.GroupBy(static call => call.Subject))
        {
            foreach (Violation violation in CheckBlocks([.. chunk.Where(Matters)], $"chunk {chunk.Key}", isChunk: true))
            {
                yield return violation;
            }
        }

        foreach (Violation violation in CheckNames([.. history.Where(static call => call.Kind >= OperationKind.Create && Matters(call))]))
        {
            yield return violation;
        }
    }

    /// <summary>Who has not been told what he asked for says nothing.</summary>
    private static bool Matters(Call call) => !call.IsOpen || call.Kind is not (
        OperationKind.Read or OperationKind.Size or OperationKind.Sync or OperationKind.ChunkRead or OperationKind.LookUp or OperationKind.List);

    /// <summary>
    /// What a client has begun and not ended, since it died, may be half done. A truncation zeroes what lies behind the new end in its last chunk, and
    /// then makes the file shorter, so that nobody ever reads again what was cut off. A write behind the end brings its data to the replicas first.
    /// Blocks have changed then, and the file's size has not.
    /// </summary>
    private static IEnumerable<Call> HalfDone(Call[] calls) =>
        from call in calls
        where call.IsOpen && call.Kind is (OperationKind.Write or OperationKind.Truncate)
        let isWrite = call.Kind == OperationKind.Write
        select new Call
        {
            Id = call.Id,
            Lane = call.Lane,
            Kind = isWrite ? OperationKind.ChunkWrite : OperationKind.ChunkPunch,
            Subject = call.Subject,
            First = call.First,
            Count = isWrite ? call.Count : (Schedule.ChunkCells - (call.First % Schedule.ChunkCells)) % Schedule.ChunkCells,
            Value = call.Value,
            InvokedNanoseconds = call.InvokedNanoseconds,
        };

    private static IEnumerable<Violation> CheckBlocks(Call[] calls, string subject, bool isChunk)
    {
        int cells = calls.Select(static call => call.First + call.Count).DefaultIfEmpty(0).Max();
        for (int block = 0; block * Call.CellsPerBlock < cells; block++)
        {
            var model = new BlockModel(block, isChunk);
            foreach (Violation violation in CheckPart(model, [.. calls.Where(model.Concerns)], $"block {block} of {subject}"))
            {
                yield return violation;
            }
        }
    }

    private static IEnumerable<Violation> CheckNames(Call[] calls)
    {
        int[] group = [.. Enumerable.Range(0, Schedule.Directories)];
        var madeIn = new Dictionary<ulong, int>();
        foreach (Call call in calls.Where(static call => call.Kind == OperationKind.Create && call.IsOk))
        {
            madeIn[call.Identity] = (int)call.Subject;
        }

        foreach (Call call in calls)
        {
            if (call.Kind == OperationKind.Rename)
            {
                Connect(group, (int)call.Subject, (int)call.OtherSubject);
            }
            else if (call.Kind == OperationKind.Link)
            {
                // Of a thing that nobody was told of when it was made, nobody knows where that was.
                foreach (int directory in madeIn.TryGetValue(call.Identity, out int one) ? [one] : Enumerable.Range(0, group.Length))
                {
                    Connect(group, (int)call.Subject, directory);
                }
            }
        }

        IEnumerable<Call> directories = calls.Where(static call => call.Kind == OperationKind.MakeDirectory && call.IsOk);
        var known = madeIn.Keys.Concat(directories.Select(static call => call.Identity)).ToHashSet();
        var model = new NamesModel(Schedule.Directories, Schedule.Names, known);
        foreach (IGrouping<int, Call> part in calls.GroupBy(call => group[(int)call.Subject]))
        {
            string which = string.Join(", ", Enumerable.Range(0, group.Length).Where(one => group[one] == part.Key).Select(static one => $"d{one}"));
            foreach (Violation violation in CheckPart(model, [.. part], $"the names in {which}"))
            {
                yield return violation;
            }
        }
    }

    private static void Connect(int[] group, int one, int other)
    {
        (int from, int to) = (group[other], group[one]);
        for (int i = 0; i < group.Length; i++)
        {
            group[i] = group[i] == from ? to : group[i];
        }
    }

    private static IEnumerable<Violation> CheckPart<TState>(IModel<TState> model, Call[] calls, string which)
        where TState : IEquatable<TState>
    {
        Verdict verdict = LinearizabilityChecker.Check(model, calls, out Call? culprit);
        if (verdict == Verdict.Linearizable)
        {
            yield break;
        }

        string what = verdict == Verdict.Undecided
            ? $"whether {which} is linearizable was not found out in {LinearizabilityChecker.StepsMax} steps"
            : $"{which} is not linearizable: no order explains {culprit}";
        yield return new Violation(what, [.. calls.OrderBy(static call => call.InvokedNanoseconds).Select(static call => call.ToString())]);
    }
}
