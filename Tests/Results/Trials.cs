using Harness.Results.Records;

namespace Harness.Tests.Results;

/// <summary>Trials for tests, plausible in every field.</summary>
internal static class Trials
{
    public static readonly DateTimeOffset Noon = new(2025, 6, 1, 12, 0, 0, 123, TimeSpan.Zero);

    public static TrialRecord Of(
        string configuration = "c",
        int block = 0,
        double iops = 10_000,
        string workload = "w",
        string experiment = "e",
        params Factor[] factors) => new()
        {
            Experiment = experiment,
            Workload = workload,
            Configuration = configuration,
            IsBaseline = configuration == "base",
            Factors = factors,
            Block = block,
            OrderInBlock = 2,
            StartedAtUtc = Noon.AddSeconds(block),
            World = "real",
            Measured = Measured(iops),
        };

    public static TrialRecord Failed(TrialRecord trial, string error = "fio: exited with 1") =>
        trial with { Measured = null, Error = error };

    public static TrialMeasurement Measured(double iops) => new()
    {
        ThroughputBytesPerSecond = iops * 4096,
        Iops = iops,
        LatencyMicrosMean = 1e6 / iops,
        LatencyMicrosP50 = 0.9e6 / iops,
        LatencyMicrosP95 = 1.5e6 / iops,
        LatencyMicrosP99 = 2e6 / iops,
        LatencyMicrosP999 = 5e6 / iops,
        LatencyMicrosMax = 20e6 / iops,
        DaemonCpuUserPercent = 41.5,
        AppCpuSystemPercent = 0.1,
        ReadBytes = (long)(iops * 4096 * 3),
        WriteBytes = 0,
        RuntimeSeconds = 3.0001,
    };

    /// <summary>Equal in every field; a record compares its list of factors by reference only.</summary>
    public static void AssertSame(TrialRecord expected, TrialRecord actual)
    {
        Assert.Equal(expected.Factors, actual.Factors);
        Assert.Equal(expected, actual with { Factors = expected.Factors });
    }
}

/// <summary>A directory of its own for each test, gone afterwards.</summary>
internal sealed class TemporaryDirectory : IDisposable
{
    private readonly DirectoryInfo directory = Directory.CreateTempSubdirectory("harness-test-");

    public string this[string name] => Path.Combine(directory.FullName, name);

    public IEnumerable<string> Names => directory.EnumerateFileSystemInfos().Select(entry => entry.Name);

    public void Dispose() => directory.Delete(recursive: true);
}
