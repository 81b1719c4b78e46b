using Harness.Cluster.Checking;
using Harness.Cluster.Chunks;

namespace Harness.Tests.Cluster.Checking;

/// <summary>
/// Bugs on purpose, each of which the check must find within 1,000 seeds: here with the first seed that finds it, counted from 1, or another one near
/// it that takes less time. Without the bug the same schedule must be clean.
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

    [Theory]
    [InlineData("a write is acknowledged before the tail has it", 1)]
    [InlineData("a dirty replica is read", 1)]
    [InlineData("the version check is skipped", 1)]
    [InlineData("a server serves after its lease", 1)]
    [InlineData("the bump on rejoin is forgotten", 1)]
    [InlineData("a retried mutation runs twice", 1)]
    [InlineData("the journal is applied out of order", 1)]
    [InlineData("the journal's last record is dropped", 1)]
    [InlineData("a checksum is skipped", 1)]
    [InlineData("a stale copy is the source of others", 1)]
    public void APlantedBugIsFound(string bug, ulong seed)
    {
        Schedule schedule = ScheduleGenerator.Generate(seed);
        Assert.Empty(ScheduleRun.Execute(schedule).Violations);
        Assert.NotEmpty(ScheduleRun.Execute(schedule, s_bugs[bug]).Violations);
    }
}
