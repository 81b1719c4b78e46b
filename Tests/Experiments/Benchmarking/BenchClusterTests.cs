using System.Text.Json;
using Harness.Experiments.Commands;
using Harness.Tests.Experiments.Commands;
using Harness.Tests.Mounts;
using Harness.Tests.Results;

namespace Harness.Tests.Experiments.Benchmarking;

/// <summary><c>./harness bench cluster</c> as its user meets it.</summary>
public sealed class BenchClusterTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData("/proc", "lies on proc")]
    [InlineData("/nowhere", "is not a directory")]
    [InlineData("/proc -o writeback", "Leave DIR out")]
    [InlineData("--peer /nowhere", "Mount the file system there first")]
    [InlineData("--peer /tmp --peer-servers (", "--peer-servers")]
    [InlineData("--only randwrite", "randwrite-4k")]
    [InlineData("--blocks 0", "1 to 1000")]
    [InlineData("--blocks many", "1 to 1000")]
    [InlineData("--runtime 3", "unit")]
    [InlineData("--runtime 1ms", "50")]
    [InlineData("--servers (", "--servers")]
    [InlineData("--only files-1k --only create-1k", "files-1k")]
    public async Task WrongArgumentsAreRefusedWithWhatIsAllowed(string arguments, string hint)
    {
        BadArgumentsException refusal = await Assert.ThrowsAsync<BadArgumentsException>(() => BenchCommand.Create().Parse($"cluster {arguments}")
            .InvokeAsync(new System.CommandLine.InvocationConfiguration { EnableDefaultExceptionHandler = false }));
        Assert.Contains(hint, refusal.Message, StringComparison.Ordinal);
    }

    [RealMountFact("fio")]
    public void AClusterIsMadeForTheRunAndMeasuredBesideAnyDirectory()
    {
        string peer = Directory.CreateDirectory(_directory["peer"]).FullName;
        string output = _directory["runs"];
        (int code, string text, string errors) = HarnessProcess.Run(
        [
            "bench", "cluster", "--peer", peer, "--only", "files-1k", "--only", "randread-4k", "--quick", "--blocks", "2", "--runtime", "200ms",
            "--out", output, "--json",
        ]);
        Assert.True(code == 0, $"exit {code}\n{text}\n{errors}");
        JsonElement[] cells = [.. JsonDocument.Parse(text).RootElement.GetProperty("cells").EnumerateArray()];
        Assert.Equal(["randread-4k", "create-1k", "stat", "read-1k", "rename", "unlink"], cells.Select(cell => cell.GetProperty("cell").GetString()!));
        Assert.All(cells, cell => Assert.Equal(2, cell.GetProperty("blocks").GetInt32()));
        Assert.All(cells, cell => Assert.True(cell.GetProperty("ours_median").GetDouble() > 0 && cell.GetProperty("peer_median").GetDouble() > 0));

        Assert.Empty(Directory.EnumerateFileSystemEntries(peer));
        Assert.Empty(Directory.EnumerateDirectories(output, "cluster-*"));
    }
}
