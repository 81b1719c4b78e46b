using Harness.Results;
using Harness.Results.Maps;

namespace Harness.Tests.Results;

public sealed class RunEnvironmentTests : IDisposable
{
    private readonly TemporaryDirectory directory = new();

    public void Dispose() => directory.Dispose();

    private static RunEnvironment Sample => new()
    {
        Kernel = "Linux 6.18.0",
        KernelVersion = "#1 SMP PREEMPT_DYNAMIC",
        CpuModel = "AMD EPYC 7B13",
        Cpus = 2,
        NumaNodes = 1,
        MemoryBytes = 8L << 30,
        Sysctls = new Dictionary<string, string> { ["fs/fuse/max_pages_limit"] = "256" },
        Versions = new Dictionary<string, string> { ["fio"] = "3.39", ["ScottPlot"] = "5.1.59" },
        Commit = "1eb5456",
        Dirty = true,
        Seed = long.MaxValue,
        CommandLine = ["./harness", "run", "my file.yaml"],
        StartedAtUtc = Trials.Noon,
        SettingsChanged = [new("/proc/sys/fs/fuse/max_pages_limit", "256", "1024", Restored: true)],
    };

    [Fact]
    public void EveryFieldSurvivesARoundTrip()
    {
        string path = directory["environment.json"];
        RunEnvironment sample = Sample with { FinishedAtUtc = Trials.Noon.AddHours(1) };
        sample.Write(path);

        RunEnvironment read = RunEnvironment.Read(path);

        Assert.Equal(sample.Sysctls, read.Sysctls);
        Assert.Equal(sample.Versions, read.Versions);
        Assert.Equal(sample.CommandLine, read.CommandLine);
        Assert.Equal(sample.SettingsChanged, read.SettingsChanged);
        Assert.Equal(
            sample,
            read with
            {
                Sysctls = sample.Sysctls,
                Versions = sample.Versions,
                CommandLine = sample.CommandLine,
                SettingsChanged = sample.SettingsChanged,
            });
    }

    [Fact]
    public void KeysAreSnakeCaseWithTheUnitLastAndDictionaryKeysAreKept()
    {
        string path = directory["environment.json"];
        Sample.Write(path);

        string json = File.ReadAllText(path);
        Assert.Contains("\n  \"memory_bytes\": 8589934592,\n", json);
        Assert.Contains("\"fs/fuse/max_pages_limit\": \"256\"", json);
        Assert.Contains("\"ScottPlot\": \"5.1.59\"", json);
        Assert.Contains("\"finished_at_utc\": null", json);
        Assert.Contains("\"restored\": true", json);
        Assert.EndsWith("}\n", json);
    }

    [Fact]
    public void AMapsCaptionNamesTheMachineInALine()
    {
        Assert.Equal(new MapCaption("dio", "Linux 6.18.0", "AMD EPYC 7B13, 2 CPUs, 1 NUMA node, 8 GiB"), MapCaption.Of("dio", Sample));
        Assert.Equal(
            "AMD EPYC 7B13, 1 CPU, 8 NUMA nodes, 0.5 GiB",
            MapCaption.Of("dio", Sample with { Cpus = 1, NumaNodes = 8, MemoryBytes = 1L << 29 }).Machine);
    }

    [Theory]
    [InlineData("{")]
    [InlineData("null")]
    [InlineData("{\"kernel\": \"6.18\"}")]
    public void AFileThatIsNoneIsRefusedByName(string content)
    {
        string path = directory["environment.json"];
        File.WriteAllText(path, content);

        Assert.Contains(path, Assert.Throws<InvalidDataException>(() => RunEnvironment.Read(path)).Message);
    }
}
