using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Harness.Tests.Experiments.Commands;
using Harness.Tests.Mounts;

namespace Harness.Tests.Experiments.Clusters;

/// <summary><c>./harness cluster</c>, <c>mds</c>, <c>cs</c> and a cluster's mount as their user meets them: real processes, kill -9.</summary>
public sealed class ClusterCommandTests : IDisposable
{
    private readonly HostCluster _cluster = new();

    public void Dispose() => _cluster.Dispose();

    [RealMountFact]
    public void DataOutliveAKilledChunkServerAndDownAndUp()
    {
        byte[] data = new byte[6_000_000];
        new Random(7).NextBytes(data);
        _cluster.Ok("up", "--mount", _cluster.MountPoint);
        File.WriteAllBytes(_cluster["before"], data);
        Flush(_cluster["before"]);
        _cluster.Ok("kill", "cs2");
        Assert.Equal(data, File.ReadAllBytes(_cluster["before"]));
        File.WriteAllBytes(_cluster["meanwhile"], data);
        Flush(_cluster["meanwhile"]);
        (int code, string text, _) = _cluster.Run("status");
        Assert.Equal(1, code);
        Assert.Contains("cs2 does not run", text, StringComparison.Ordinal);

        Assert.Contains("started cs2", _cluster.Ok("up"), StringComparison.Ordinal);
        JsonElement status = _cluster.AwaitHealthy();
        Assert.Equal(3, status.GetProperty("servers").GetArrayLength());
        Assert.Equal(2UL, status.GetProperty("chunks").GetProperty("healthy").GetUInt64());
        Assert.Contains("all is well", _cluster.Ok("fsck", "--scrub"), StringComparison.Ordinal);

        _cluster.Ok("down");
        Assert.False(_cluster.IsMounted);
        Assert.Equal(1, _cluster.Run("status").Code);
        _cluster.Ok("up");
        Assert.Equal(data, File.ReadAllBytes(_cluster["before"]));
        Assert.Equal(data, File.ReadAllBytes(_cluster["meanwhile"]));
        Assert.Contains("was up", _cluster.Ok("up"), StringComparison.Ordinal);
    }

    [RealMountFact]
    public void OneServerStartsWhileTheOthersAreDead()
    {
        _cluster.Ok("up", "--mount", _cluster.MountPoint);
        File.WriteAllText(_cluster["before"], "still here");
        foreach (string server in (string[])["cs1", "cs2", "cs3"])
        {
            _cluster.Ok("kill", server);
        }

        // It does not wait for what only the others could bring, and says so.
        (int code, string text, string errors) = _cluster.Run("start", "cs1");
        Assert.True(code == 0, errors);
        Assert.Contains("started cs1", text, StringComparison.Ordinal);
        Assert.Contains("cs2, cs3 do not run", errors, StringComparison.Ordinal);
        Assert.Contains("cs3 does not run", _cluster.Run("start", "cs2").Errors, StringComparison.Ordinal);
        Assert.Equal("", _cluster.Run("start", "cs3").Errors);
        Assert.Equal("still here", File.ReadAllText(_cluster["before"]));
    }

    [RealMountFact]
    public void WhatADurableCallHasReturnedOutlivesEveryProcess()
    {
        // The rows of docs/cluster.md, "What is promised", that say "survives" for a process that is killed.
        _cluster.Ok("up", "--mount", _cluster.MountPoint);
        byte[] fsynced = WriteDurably("mount");
        _cluster.Ok("kill", "mount");
        _cluster.Ok("up");
        CheckDurable("mount", fsynced);

        // A write that has returned need not be flushed to outlive the death of a server.
        byte[] buffered = [.. Enumerable.Range(0, 100_000).Select(static i => (byte)(i * 7))];
        File.WriteAllBytes(_cluster["buffered"], buffered);
        fsynced = WriteDurably("servers");
        foreach (string server in (string[])["mds", "cs1", "cs2", "cs3"])
        {
            _cluster.Ok("kill", server);
        }

        // Who writes meanwhile waits, and is told of no error.
        Task writing = Task.Run(() =>
        {
            File.WriteAllBytes(_cluster["meanwhile"], buffered);
            Flush(_cluster["meanwhile"]);
        });
        _cluster.Ok("up");
        Assert.True(writing.Wait(TimeSpan.FromSeconds(30)), "the write did not end");
        CheckDurable("servers", fsynced);
        Assert.Equal(buffered, File.ReadAllBytes(_cluster["meanwhile"]));
        Assert.Equal(buffered, File.ReadAllBytes(_cluster["buffered"]));
        _cluster.AwaitHealthy();
        _cluster.Ok("fsck");
    }

    [RealMountFact]
    public void AWholeClusterRunsInTheProcessOfItsMount()
    {
        _cluster.Ok("up", "--in-process", "--mount", _cluster.MountPoint, "--cs", "2", "-o", "writeback");
        File.WriteAllText(_cluster["file"], "text");
        _cluster.Ok("down");
        Assert.False(_cluster.IsMounted);
        _cluster.Ok("up");
        Assert.Equal("text", File.ReadAllText(_cluster["file"]));
    }

    [Fact]
    public void ADirectoryServesOneProcessAndOneClusterOnly()
    {
        _cluster.Ok("up", "--cs", "2");
        string listen = _cluster.Status().GetProperty("metadata_server").GetString()!;
        string used = Path.Combine(_cluster.Directory, "cs1");
        AssertRefused(3, $"Another process serves {used}", "cs", "--dir", used, "--mds", listen);
        AssertRefused(3, $"Something listens at {listen} already", "mds", "--dir", Path.Combine(_cluster.Directory, "other"), "--listen", listen);
        AssertRefused(3, "belongs to a metadata server of cluster", "cs", "--dir", Path.Combine(_cluster.Directory, "mds"), "--mds", listen);

        string second = Path.Combine(_cluster.Directory, "second");
        AssertRefused(3, "Chunk server 1 runs with another directory", "cs", "--dir", second, "--id", "1", "--mds", listen);
        Assert.False(Directory.Exists(second));

        // One that was marked as this server's already, for instance while the other was away.
        Directory.CreateDirectory(second);
        string[] mark = File.ReadAllText(Path.Combine(used, "server")).Split(' ');
        File.WriteAllText(Path.Combine(second, "server"), $"{mark[0]} {mark[1]} {mark[2]} {1:x16}\n");
        AssertRefused(3, "Chunk server 1 runs with another directory", "cs", "--dir", second, "--mds", listen);
        Assert.Empty(_cluster.AwaitHealthy().GetProperty("problems").EnumerateArray());

        using var another = new HostCluster();
        another.Ok("up", "--cs", "1");
        string others = another.Status().GetProperty("metadata_server").GetString()!;
        _cluster.Ok("kill", "cs1");
        AssertRefused(3, "leads cluster", "cs", "--dir", used, "--mds", others);
    }

    [Fact]
    public void AStaleRecordOfAProcessIsNobodysProcess()
    {
        _cluster.Ok("up", "--cs", "1");
        _cluster.Ok("down");

        // As if the machine had given the number to somebody else since.
        string record = Path.Combine(_cluster.Directory, "run", "cs1.json");
        string[] fields = File.ReadAllText(record).Split(',');
        fields[0] = $"{{\"Pid\":{Environment.ProcessId}";
        File.WriteAllText(record, string.Join(',', fields));
        Assert.Contains("nothing runs", _cluster.Ok("down"), StringComparison.Ordinal);
        Assert.Contains("started mds, cs1", _cluster.Ok("up"), StringComparison.Ordinal);
    }

    [Fact]
    public void MetricsAreServedWhereUpPutsThem()
    {
        _cluster.Ok("up", "--cs", "1");
        Assert.Contains("harness_chunk_servers{state=\"active\"} 1", Metrics("mds"), StringComparison.Ordinal);
        Assert.Contains("harness_cs_replicas 0", Metrics("cs1"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(2, "3 replicas need as many chunk servers, and there are 2", "up", "--cs", "2", "--replicas", "3")]
    [InlineData(2, "--replicas: '2:3' is no number of replicas", "up", "--replicas", "2:3")]
    [InlineData(2, "--listen: 'nowhere' is no address", "up", "--listen", "nowhere")]
    [InlineData(2, "--in-process needs --mount", "up", "--in-process")]
    [InlineData(2, "did you mean 'max-write'?", "up", "--mount", "/mnt", "-o", "max-wrte=1M")]
    [InlineData(2, "is no cluster's directory", "status")]
    [InlineData(2, "is no cluster's directory", "down")]
    [InlineData(2, "is no cluster's directory", "fsck")]
    public void WhatCannotBeIsRefusedWithWhatCan(int code, string expected, string command, params string[] arguments) =>
        AssertRefused(code, expected, ["cluster", command, "--dir", _cluster.Directory, .. arguments]);

    [Fact]
    public void ADirectoryThatCannotBeUsedIsRefused()
    {
        AssertRefused(3, "cannot be used", "cluster", "up", "--dir", "/proc/cluster");
        AssertRefused(2, "is not empty and has no cluster.json", "cluster", "up", "--dir", "/etc");
        AssertRefused(2, "is a file", "cluster", "up", "--dir", "/etc/passwd");
        AssertRefused(2, "needs to know which", "mount", "--backend", "cluster", _cluster.MountPoint);
        AssertRefused(3, "no metadata server answers at 127.0.0.1:1 to say", "cs", "--dir", Path.Combine(_cluster.Directory, "cs"), "--mds", "127.0.0.1:1");
    }

    [Fact]
    public void AnAddressInUseIsNamed()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        AssertRefused(3, $"Something listens at {taken.LocalEndpoint} already", "cluster", "up", "--dir", _cluster.Directory, "--listen", $"{taken.LocalEndpoint}");
        Assert.Contains("nothing runs", _cluster.Ok("down"), StringComparison.Ordinal);
    }

    private static void AssertRefused(int expectedCode, string expected, params string[] arguments)
    {
        (int code, _, string errors) = HarnessProcess.Run(arguments);
        Assert.True(code == expectedCode, $"{code}: {errors}");
        Assert.Contains(expected, errors, StringComparison.Ordinal);
    }

    private static void Flush(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite);
        file.Flush(flushToDisk: true);
    }

    private string Metrics(string server) => Programs.Run(
        "/", "curl", "--silent", "--fail", "--unix-socket", Path.Combine(_cluster.Directory, "run", $"{server}.metrics"), "http://localhost/metrics");

    private byte[] WriteDurably(string name)
    {
        byte[] data = new byte[200_000];
        new Random(name.Length).NextBytes(data);
        File.WriteAllBytes(_cluster[$"{name}.new"], data);
        Flush(_cluster[$"{name}.new"]);
        File.Move(_cluster[$"{name}.new"], _cluster[name]);
        Directory.CreateDirectory(_cluster[$"{name}.directory"]);
        Programs.Run(_cluster.MountPoint, "dd", "if=/dev/zero", $"of={name}.direct", "bs=64k", "count=3", "oflag=direct", "status=none");
        File.CreateSymbolicLink(_cluster[$"{name}.link"], "target");
        File.WriteAllText(_cluster[$"{name}.gone"], "x");
        File.Delete(_cluster[$"{name}.gone"]);
        return data;
    }

    private void CheckDurable(string name, byte[] data)
    {
        Assert.Equal(data, File.ReadAllBytes(_cluster[name]));
        Assert.False(File.Exists(_cluster[$"{name}.new"]));
        Assert.True(Directory.Exists(_cluster[$"{name}.directory"]));
        Assert.Equal(3 * 65_536, new FileInfo(_cluster[$"{name}.direct"]).Length);
        Assert.Equal("target", new FileInfo(_cluster[$"{name}.link"]).LinkTarget);
        Assert.False(File.Exists(_cluster[$"{name}.gone"]));
    }
}
