using System.Text.Json;
using Harness.Tests.Mounts;
using Mono.Unix.Native;

namespace Harness.Tests.Experiments.Commands;

/// <summary><c>./harness stats</c> and <c>explain</c> as their user meets them.</summary>
public sealed class ExplainCommandTests : IDisposable
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(60);
    private readonly string _directory = Directory.CreateTempSubdirectory("harness-explain-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Theory]
    [InlineData("stats")]
    [InlineData("explain")]
    public void ADirectoryThatIsNoMountIsRefusedByName(string command)
    {
        (int code, _, string errors) = HarnessProcess.Run(command, _directory);
        Assert.Equal(2, code);
        Assert.Contains($"No FUSE file system is mounted at {_directory}", errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--seconds", "0", "allowed: ")]
    [InlineData("--plot", "stages.svg", ".png")]
    [InlineData("--plot", "/no/such/directory/a.png", "there is no directory")]
    public void AWrongOptionIsRefusedWithWhatIsAllowed(string option, string value, string hint)
    {
        (int code, _, string errors) = HarnessProcess.Run("explain", "/", option, value);
        Assert.Equal(2, code);
        Assert.Contains(option, errors, StringComparison.Ordinal);
        Assert.Contains(hint, errors, StringComparison.Ordinal);
    }

    [RealMountFact]
    public void AMountWithoutLoadIsExplainedToNeedSome()
    {
        using var mounted = MountedFileSystem.Mount(null, "null");
        (int code, string output, string errors) = HarnessProcess.Run("explain", mounted.Path, "--seconds", "1");
        Assert.Equal((1, string.Empty), (code, output));
        Assert.Contains("put load on the mount", errors, StringComparison.Ordinal);
    }

    [RealMountFact("dd")]
    public void CtrlCEndsWatchingEarlyWithWhatWasSeenAndRemovesTheTrace()
    {
        string picture = Path.Combine(_directory, "stages.png");
        using var mounted = MountedFileSystem.Mount(null, "null");
        using HarnessProcess explain = HarnessProcess.Start("explain", mounted.Path, "--seconds", "600", "--json", "--plot", picture);
        Assert.True(SpinWait.SpinUntil(() => mounted.Host.Meters.Recording is not null, s_limit), "explain did not attach");
        Programs.Run(_directory, "dd", $"if={mounted.Path}/zero.1", "of=/dev/null", "bs=4k", "count=20000", "iflag=direct");
        explain.Signal(Signum.SIGINT);
        (int code, string output, string errors) = explain.Wait();

        Assert.True(code == 0, errors);
        JsonElement root = JsonDocument.Parse(output).RootElement;
        Assert.Contains(root.GetProperty("operations").EnumerateArray(), each => each.GetProperty("operation").GetString() == "READ");
        Assert.True(new FileInfo(picture).Length > 1000);
        Assert.DoesNotContain(Traces(), name => name.StartsWith($"harness-{explain.Id}-", StringComparison.Ordinal));
    }

    [RealMountFact]
    public void StatsPrintATableAndJson()
    {
        using var mounted = MountedFileSystem.Mount(null, "null");
        Assert.True(File.Exists(Path.Combine(mounted.Path, "zero.0")));
        (int code, string table, string errors) = HarnessProcess.Run("stats", mounted.Path);
        Assert.True(code == 0, errors);
        Assert.Contains("LOOKUP", table, StringComparison.Ordinal);
        (_, string json, _) = HarnessProcess.Run("stats", mounted.Path, "--json");
        JsonElement lookup = JsonDocument.Parse(json).RootElement.GetProperty("operations").EnumerateArray()
            .Single(each => each.GetProperty("operation").GetString() == "LOOKUP");
        Assert.Equal(1, lookup.GetProperty("requests").GetInt64());
    }

    private static IEnumerable<string> Traces() =>
        ((string[])["/sys/kernel/tracing/instances", "/sys/kernel/debug/tracing/instances"]).Where(Directory.Exists)
        .SelectMany(Directory.GetDirectories).Select(path => Path.GetFileName(path));
}
