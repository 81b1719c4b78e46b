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
