using Harness.Experiments.Benchmarking;
using Harness.Experiments.Running;
using Harness.Runtime;
using Harness.Tests.Mounts;
using Harness.Transport;
using Harness.Transport.Mounting;
using Microsoft.Win32.SafeHandles;

namespace Harness.Tests.Experiments.Benchmarking;

/// <summary>All that are measured against each other serve the same: one body for the peers and for our own null mount.</summary>
public sealed class PeerTests
{
    private const long FileBytes = 1L << 40;
    private const int Megabyte = 1 << 20;

    private static readonly Lazy<bool> s_built = new(() =>
    {
        PeerPrograms.Build(Console.Error);
        return true;
    });

    public static TheoryData<string> Contenders => [.. All().Select(contender => contender.Name)];

    [RealMountTheory("cc", "make", "pkg-config", "taskset")]
    [MemberData(nameof(Contenders))]
    public async Task EveryContenderServesTheSameFilesAndLeavesNothingMounted(string name)
    {
        Assert.True(s_built.Value);
        string mountPoint = Directory.CreateTempSubdirectory("harness-test-").FullName;
        try
        {
            DaemonProcess daemon = await All().Single(contender => contender.Name == name).Start(mountPoint, CancellationToken.None);
            await using (daemon)
            {
                AssertServes(mountPoint);
                Assert.False(daemon.HasExited);
            }

            Assert.True(daemon.HasExited);
            Assert.Null(MountTable.Find(mountPoint));
        }
        finally
        {
            Directory.Delete(mountPoint);
        }
    }

    [Theory]
    [InlineData("echo it is broken >&2; exit 3", "it is broken")]
    [InlineData("exit 3", "ended before it was ready")]
    [InlineData("exit 0", "has to stay in the foreground")]
    public async Task APeerThatDoesNotServeIsRefusedWithItsOwnWords(string script, string expected)
    {
        string mountPoint = Directory.CreateTempSubdirectory("harness-test-").FullName;
        FuseTransportException refusal = await Assert.ThrowsAsync<FuseTransportException>(() =>
            DaemonProcess.StartPeer(["/bin/sh", "-c", script], mountPoint, Contender.ProbeFile, CancellationToken.None));
        Assert.Contains(expected, refusal.Message, StringComparison.Ordinal);
        Directory.Delete(mountPoint);
    }

    [Fact]
    public async Task APeerThatIsNoProgramIsRefused()
    {
        FuseTransportException refusal = await Assert.ThrowsAsync<FuseTransportException>(() =>
            DaemonProcess.StartPeer(["/nonexistent/program"], "/", Contender.ProbeFile, CancellationToken.None));
        Assert.Contains("/nonexistent/program could not be started", refusal.Message, StringComparison.Ordinal);
    }

    private static void AssertServes(string mountPoint)
    {
        Assert.Equal(
            Enumerable.Range(0, 16).Select(i => $"zero.{i}").Order(StringComparer.Ordinal),
            Directory.GetFileSystemEntries(mountPoint).Select(path => Path.GetFileName(path)!).Order(StringComparer.Ordinal));
        string file = Path.Combine(mountPoint, "zero.15");
        Assert.Equal(FileBytes, new FileInfo(file).Length);

        byte[] ones = new byte[3 * Megabyte];
        Array.Fill(ones, (byte)1);
        using (SafeFileHandle written = File.OpenHandle(file, FileMode.Open, FileAccess.Write))
        {
            RandomAccess.Write(written, ones, 12_345);
        }

        // Opened anew, so that nothing comes from the page cache.
        byte[] read = [.. ones];
        using (SafeFileHandle opened = File.OpenHandle(file))
        {
            Assert.Equal(read.Length, RandomAccess.Read(opened, read, 12_345));
            Assert.False(read.AsSpan().ContainsAnyExcept((byte)0));
            Assert.Equal(10, RandomAccess.Read(opened, read, FileBytes - 10));
        }

        Assert.False(File.Exists(Path.Combine(mountPoint, "zero.16")));
        Assert.False(File.Exists(Path.Combine(mountPoint, "zero.07")));
        Assert.ThrowsAny<Exception>(() => File.WriteAllText(Path.Combine(mountPoint, "new"), "x"));
    }

    /// <summary>Each program in each shape, once.</summary>
    private static IEnumerable<Contender> All() => Match.Standard(Topology.Current)
        .SelectMany(match => new[] { match.Peer, match.Ours })
        .Where(contender => contender.Placement.IsPinned || contender.Shape == Shape.Default)
        .DistinctBy(contender => contender.Name);
}
