using Harness.Results.Records;
using Harness.Tests.Mounts;
using Mono.Unix.Native;

namespace Harness.Tests.Experiments.Commands;

/// <summary><c>./harness run</c> as its user meets it: whole runs, bad plans, and every way of being interrupted.</summary>
public sealed class RunCommandTests : IDisposable
{
    private const string Plan = """
        experiments:
          - name: tiny
            backend: memory
            factors: {max-write: [128K, 1M]}
            workloads: [{name: read-64k, rw: read, bs: 64k, size: 4M, direct: 1}]
            runtime: 100ms
            repetitions: 3
        """;

    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(60);

    private readonly string _directory = Directory.CreateTempSubdirectory("harness-run-").FullName;

    private string Out => Path.Combine(_directory, "runs");

    private string Latest => Path.Combine(Out, "latest");

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [RealMountFact("fio")]
    public void AWholeRunLeavesARowForEveryCellAndRepetitionAndItsMaps()
    {
        (int code, string output, string errors) = HarnessProcess.RunIn(_directory, "run", Write(Plan), "--out", Out);

        Assert.True(code == 0, errors);
        IReadOnlyList<TrialRecord> trials = ResultsFile.Read(Path.Combine(Latest, "results.csv"));
        Assert.Equal(6, trials.Select(trial => trial.Key).Distinct().Count());
        Assert.All(trials, trial => Assert.True(trial.Measured!.Iops > 0));
        Assert.True(new FileInfo(Path.Combine(Latest, "throughput.png")).Length > 1000);
        Assert.True(new FileInfo(Path.Combine(Latest, "latency.png")).Length > 1000);
        Assert.Contains("max-write=1M", output, StringComparison.Ordinal);
        Assert.Contains("\"commit\"", File.ReadAllText(Path.Combine(Latest, "environment.json")), StringComparison.Ordinal);
    }

    [RealMountFact("fio")]
    public void AnExplainedRunSaysWhereTheTimeWentInEveryCell()
    {
        string plan = Plan.Replace("runtime: 100ms", "runtime: 1s", StringComparison.Ordinal).Replace("repetitions: 3", "repetitions: 1", StringComparison.Ordinal);
        (int code, string output, string errors) = HarnessProcess.RunIn(_directory, "run", Write(plan), "--out", Out, "--explain");

        Assert.True(code == 0, errors);
        string text = File.ReadAllText(Path.Combine(Latest, "explain.txt"));
        Assert.Contains("max-write=128K", text, StringComparison.Ordinal);
        Assert.Contains("max-write=1M", text, StringComparison.Ordinal);
        Assert.Contains("file system", output, StringComparison.Ordinal);
        Assert.True(new FileInfo(Path.Combine(Latest, "explain.png")).Length > 1000);
    }

    [RealMountTheory("fio")]
    [InlineData(Signum.SIGINT)]
    [InlineData(Signum.SIGTERM)]
    public void AnInterruptedRunKeepsItsResultsAndGoesOn(Signum signal)
    {
        using (HarnessProcess run = HarnessProcess.StartIn(_directory, "run", Write(Plan.Replace("repetitions: 3", "repetitions: 8", StringComparison.Ordinal)), "--out", Out))
        {
            AwaitRows(2);
            run.Signal(signal);
            (int code, _, string errors) = run.Wait();
            Assert.Equal(130, code);
            Assert.Contains("--resume", errors, StringComparison.Ordinal);
        }

        int before = ResultsFile.Read(Path.Combine(Latest, "results.csv")).Count;
        Assert.InRange(before, 1, 15);
        Assert.Empty(Mounts());

        (int resumed, _, string complaints) = HarnessProcess.RunIn(_directory, "run", "--resume", Latest);
        Assert.True(resumed == 0, complaints);
        Assert.Equal(16, ResultsFile.Read(Path.Combine(Latest, "results.csv")).Select(trial => trial.Key).Distinct().Count());
    }

    [RealMountFact("fio")]
    public void ADaemonThatIsKilledFailsItsTrialAndLeavesNothingBehind()
    {
        string plan = Write(Plan.Replace("100ms", "20s", StringComparison.Ordinal).Replace("[128K, 1M]", "[1M]", StringComparison.Ordinal)
            .Replace("repetitions: 3", "repetitions: 1", StringComparison.Ordinal));
        using HarnessProcess run = HarnessProcess.StartIn(_directory, "run", plan, "--out", Out);
        int daemon = 0;
        Assert.True(SpinWait.SpinUntil(() => (daemon = ChildProcess.Find(run.Id, "fio") > 0 ? ChildProcess.Find(run.Id, "mount") : 0) > 0, s_limit));
        Assert.Equal(0, Syscall.kill(daemon, Signum.SIGKILL));
        (int code, _, string errors) = run.Wait();

        Assert.Equal(1, code);
        Assert.Contains("failed: tiny", errors, StringComparison.Ordinal);
        TrialRecord trial = Assert.Single(ResultsFile.Read(Path.Combine(Latest, "results.csv")));
        Assert.Null(trial.Measured);
        Assert.Empty(Mounts());
    }

    [RealMountFact("fio")]
    public void ATrialOnAClusterHasItsOwnAndLeavesNothingOfItEvenWhenItIsInterrupted()
    {
        string plan = Plan.Replace("backend: memory", "backend: {cluster: {cs: 2}}", StringComparison.Ordinal)
            .Replace("{max-write: [128K, 1M]}", "{writeback: [on]}", StringComparison.Ordinal).Replace("repetitions: 3", "repetitions: 1", StringComparison.Ordinal);
        (int code, _, string errors) = HarnessProcess.RunIn(_directory, "run", Write(plan), "--out", Out);
        Assert.True(code == 0, errors);
        Assert.True(Assert.Single(ResultsFile.Read(Path.Combine(Latest, "results.csv"))).Measured!.Iops > 0);
        Assert.Empty(Directory.GetDirectories(_directory, "harness-*"));

        using HarnessProcess run = HarnessProcess.StartIn(
            _directory, "run", Write(plan.Replace("100ms", "30s", StringComparison.Ordinal)), "--out", Out);
        int server = 0;
        Assert.True(SpinWait.SpinUntil(() => (server = ChildProcess.Find(run.Id, "fio") > 0 ? ChildProcess.Find(run.Id, " cs ") : 0) > 0, s_limit));
        run.Signal(Signum.SIGINT);
        Assert.Equal(130, run.Wait().Code);
        Assert.False(Directory.Exists($"/proc/{server}"));
        Assert.Empty(Mounts());
        Assert.Empty(Directory.GetDirectories(_directory, "harness-*"));
    }

    [Theory]
    [InlineData("experiments: []", "1:14")]
    [InlineData("experiment: 1", "unknown key 'experiment'; did you mean 'experiments'?")]
    public void ABadPlanIsRefusedWithItsPlaceBeforeAnythingIsDone(string text, string expected)
    {
        (int code, _, string errors) = HarnessProcess.Run("run", Write(text), "--out", Out);
        Assert.Equal(2, code);
        Assert.Contains(expected, errors.Replace(" in a plan", string.Empty, StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.False(Directory.Exists(Out));
    }

    [Fact]
    public void APlanThatDoesNotExistIsRefused()
    {
        (int code, _, string errors) = HarnessProcess.Run("run", Path.Combine(_directory, "absent.yaml"));
        Assert.Equal(2, code);
        Assert.Contains("there is no such file", errors, StringComparison.Ordinal);
    }

    [Fact]
    public void ResumingWhatIsNoRunIsRefused()
    {
        (int code, _, string errors) = HarnessProcess.Run("run", "--resume", _directory);
        Assert.Equal(2, code);
        Assert.Contains("holds no run", errors, StringComparison.Ordinal);
    }

    private IEnumerable<string> Mounts() => File.ReadLines("/proc/mounts").Where(line => line.Contains(_directory, StringComparison.Ordinal));

    private string Write(string plan)
    {
        string path = Path.Combine(_directory, "plan.yaml");
        File.WriteAllText(path, plan);
        return path;
    }

    // A trial's report is there before its row; when the next trial's is, the row is.
    private void AwaitRows(int rows)
    {
        string reports = Path.Combine(Latest, "fio");
        Assert.True(SpinWait.SpinUntil(() => Directory.Exists(reports) && Directory.GetFiles(reports, "*.json").Length > rows, s_limit));
    }
}
