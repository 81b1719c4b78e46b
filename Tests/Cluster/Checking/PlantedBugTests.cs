using Harness.Cluster.Checking;
using Harness.Cluster.Chunks;

namespace Harness.Tests.Cluster.Checking;

/// <summary>
/// Bugs on purpose, each of which the check must find within 1,000 seeds. Without the bug the same schedule must be clean.
/// </summary>
public sealed class PlantedBugTests
{
    private static readonly Dictionary<string, PlantedFaults> s_bugs = new()
    {
        ["a write is acknowledged before the tail has it"] = new() { AcknowledgesEarly = true },
        ["a dirty replica is read"] = new() { ReadsDirty = true },
        ["the version check is skipped"] = new() { SkipsVersionCheck = true },
        ["a server serves after its lease"] = new() { ServesAfterLease = true },
        ["the bump on rejoin is forgotten"] = new() { ForgetsRejoinBump = true },
        ["a retried mutation runs twice"] = new() { RepeatsMutations = true },
        ["the journal is applied out of order"] = new() { ReplaysBackwards = true },
        ["the journal's last record is dropped"] = new() { DropsLastRecord = true },
        ["a checksum is skipped"] = new() { SkipsChecksums = true },
        ["a stale copy is the source of others"] = new() { CopiesStaleReplicas = true },
    };

    private const ulong SeedsMax = 1000;

    /// <summary>Begins with a seed that is known to find the bug, so that it takes no time, and goes on with the others where that no longer does.</summary>
    [Theory]
    [InlineData("a write is acknowledged before the tail has it", 5)]
    [InlineData("a dirty replica is read", 176)]
    [InlineData("the version check is skipped", 148)]
    [InlineData("a server serves after its lease", 52)]
    [InlineData("the bump on rejoin is forgotten", 2)]
    [InlineData("a retried mutation runs twice", 204)]
    [InlineData("the journal is applied out of order", 3)]
    [InlineData("the journal's last record is dropped", 3)]
    [InlineData("a checksum is skipped", 36)]
    [InlineData("a stale copy is the source of others", 52)]
    public void APlantedBugIsFoundWithinAThousandSeeds(string bug, ulong known)
    {
        for (ulong i = 0; i < SeedsMax; i++)
        {
            Schedule schedule = ScheduleGenerator.Generate(((known - 1 + i) % SeedsMax) + 1);
            if (ScheduleRun.Execute(schedule, s_bugs[bug]).Violations.Count > 0)
            {
                IReadOnlyList<Violation> without = ScheduleRun.Execute(schedule).Violations;
                Assert.True(without.Count == 0, $"seed {schedule.Seed} fails without the bug too: {string.Join("; ", without.Select(static one => one.What))}");
                return;
            }
        }

        Assert.Fail($"{SeedsMax} schedules have not found that {bug}");
    }
}
