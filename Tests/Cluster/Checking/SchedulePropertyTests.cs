using FsCheck;
using FsCheck.Fluent;
using Harness.Cluster.Checking;
using Harness.Tests.Experiments.Backends;

namespace Harness.Tests.Cluster.Checking;

/// <summary>Whole clusters in simulated worlds, in which things go wrong, under three clients. <c>./harness check</c> runs more of the same.</summary>
public sealed class SchedulePropertyTests
{
    private const int Cases = 25;

    [Fact]
    public void WhatClientsSeeIsLinearizableAndNothingAcknowledgedIsLost() =>
        RandomRun.Check(Prop.ForAll(Arb.From(Schedules, Shrink), Holds), Cases);

    [Fact]
    public void TheSameSeedGivesTheSameHistory()
    {
        Assert.Equal(Story(), Story());

        static string[] Story()
        {
            var lines = new List<string>();
            ScheduleRun.Execute(ScheduleGenerator.Generate(3), note: lines.Add);
            return [.. lines];
        }
    }

    /// <summary>Seeds that have found bugs, each with what it found.</summary>
    [Theory]
    [InlineData(47, "a recall overtook the reply that granted the lease")]
    [InlineData(64, "a request waited for the lease of a node that was forgotten meanwhile")]
    [InlineData(65, "a lease ended and began again unnoticed, and what was under way was never committed")]
    [InlineData(74, "a chunk that was made with too few replicas got no more")]
    [InlineData(80, "a truncation waited for whoever waited for its lease")]
    [InlineData(143, "a server that had no replica was taken for whole")]
    [InlineData(175, "two recalls of one file were answered at once")]
    [InlineData(186, "a lease was believed that had been given back")]
    [InlineData(236, "part of a damaged block could not be written, and the replica failed for good")]
    [InlineData(387, "a restarted chunk server was taken for one that had stayed after the metadata server restarted too")]
    [InlineData(787, "fsync without a lease remembered holes")]
    [InlineData(2395, "a client was back before its broken connection was noticed, and its recall waited for ever")]
    [InlineData(2864, "a chain that a server was told before it was cut off came late")]
    [InlineData(3389, "an answer from a server's earlier life was taken for one from this")]
    [InlineData(10381, "a replica was made for a chunk that was removed meanwhile")]
    [InlineData(61561, "a server that had lost power was told the chain of an old chunk as that of a new one")]
    [InlineData(65576, "a server that never got a new chunk was taken for whole")]
    [InlineData(300126, "a mutation that a replica had given up when it joined was taken for done after its restart")]
    [InlineData(110269, "a server was told to leave a chain that it had been told of meanwhile")]
    [InlineData(66952, "a mutation overtook one that waited for a damaged block")]
    [InlineData(4926, "a joining replica's block was replaced by the one that its predecessor was still writing")]
    [InlineData(5696, "a lease given back over a broken connection was taken away after it had been granted again over the next one")]
    public void WhatWasFoundOnceIsNotThereAgain(ulong seed, string found)
    {
        IReadOnlyList<Violation> violations = ScheduleRun.Execute(ScheduleGenerator.Generate(seed)).Violations;
        Assert.True(violations.Count == 0, $"seed {seed}, which has found that {found}: {string.Join("; ", violations.Select(static one => one.What))}");
    }

    private static Gen<Schedule> Schedules => Gen.Choose(1, int.MaxValue).Select(static seed => ScheduleGenerator.Generate((ulong)seed));

    private static void Holds(Schedule schedule)
    {
        ScheduleResult result = ScheduleRun.Execute(schedule);
        if (result.Violations.Count > 0)
        {
            Violation first = result.Violations[0];
            Assert.Fail(
                $"""
                {first.What}
                (./harness replay {schedule.Seed} shows the whole of it; what is left of it here: {schedule.Operations.Count} operations, {string.Join("; ", schedule.Faults)})
                {string.Join(Environment.NewLine, first.Story)}
                """);
        }
    }

    /// <summary>The schedule without one of its faults, without half of its operations, without one lane, and without each eighth of the operations.</summary>
    private static IEnumerable<Schedule> Shrink(Schedule schedule)
    {
        for (int i = 0; i < schedule.Faults.Count; i++)
        {
            yield return schedule with { Faults = [.. schedule.Faults.Where((_, index) => index != i)] };
        }

        for (int lane = 0; lane < Schedule.Lanes; lane++)
        {
            if (schedule.Operations.Any(operation => operation.Lane == lane))
            {
                yield return schedule with { Operations = [.. schedule.Operations.Where(operation => operation.Lane != lane)] };
            }
        }

        int piece = Math.Max(1, schedule.Operations.Count / 8);
        for (int from = 0; from < schedule.Operations.Count; from += piece)
        {
            yield return schedule with { Operations = [.. schedule.Operations.Take(from), .. schedule.Operations.Skip(from + piece)] };
        }
    }
}
