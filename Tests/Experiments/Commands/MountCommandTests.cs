using Harness.Tests.Mounts;
using Mono.Unix.Native;

namespace Harness.Tests.Experiments.Commands;

/// <summary><c>./harness mount</c>, <c>unmount</c> and <c>doctor</c> as their user meets them.</summary>
public sealed class MountCommandTests : IDisposable
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(60);

    private readonly string _directory = Directory.CreateTempSubdirectory("harness-mount-").FullName;

    private string MountPoint => Directory.CreateDirectory(Path.Combine(_directory, "mnt")).FullName;

    private bool IsMounted => File.ReadLines("/proc/mounts").Any(line => line.Split(' ')[1] == Path.Combine(_directory, "mnt"));

    public void Dispose()
    {
        if (IsMounted)
        {
            HarnessProcess.Run("unmount", Path.Combine(_directory, "mnt"));
        }

        Directory.Delete(_directory, recursive: true);
    }

    [RealMountTheory]
    [InlineData(Signum.SIGINT)]
    [InlineData(Signum.SIGTERM)]
    public void ASignalUnmountsAndEndsWell(Signum signal)
    {
        using HarnessProcess mount = HarnessProcess.Start("mount", "--backend", "memory", MountPoint);
        Assert.True(SpinWait.SpinUntil(() => IsMounted, s_limit));
        File.WriteAllText(Path.Combine(MountPoint, "file"), "text");
        mount.Signal(signal);
        (int code, string output, string errors) = mount.Wait();
        Assert.True(code == 0, errors);
        Assert.Contains("mounted memory", output, StringComparison.Ordinal);
        Assert.False(IsMounted);
    }

    [RealMountFact]
    public void AMountWhoseDaemonWasKilledGivesErrorsAndIsFreedByUnmount()
    {
        string mountPoint = MountPoint;
        using (HarnessProcess mount = HarnessProcess.Start("mount", "--backend", "null", mountPoint))
        {
            Assert.True(SpinWait.SpinUntil(() => IsMounted, s_limit));
            mount.Signal(Signum.SIGKILL);
            mount.Wait();
        }

        Assert.True(IsMounted);
        Assert.Equal(-1, Syscall.stat(Path.Combine(mountPoint, "zero.0"), out _));
        Assert.Equal(Errno.ENOTCONN, Stdlib.GetLastError());
        (int code, _, string errors) = HarnessProcess.Run("unmount", mountPoint);
        Assert.True(code == 0, errors);
        Assert.False(IsMounted);
    }

    [RealMountFact]
    public void ATraceHasALineForEveryMessage()
    {
        string trace = Path.Combine(_directory, "trace");
        using HarnessProcess mount = HarnessProcess.Start("mount", "--backend", "null", "--trace", trace, MountPoint);
        Assert.True(SpinWait.SpinUntil(() => IsMounted, s_limit));
        Assert.True(File.Exists(Path.Combine(MountPoint, "zero.3")));
        mount.Signal(Signum.SIGTERM);
        mount.Wait();
        string text = File.ReadAllText(trace);
        Assert.Contains("rx unique=", text, StringComparison.Ordinal);
        Assert.Contains("opcode=INIT", text, StringComparison.Ordinal);
        Assert.Contains("opcode=LOOKUP", text, StringComparison.Ordinal);
        Assert.Contains("zero.3", text, StringComparison.Ordinal);
    }

    [RealMountFact]
    public void AMountPointThatIsNotThereOrNotEmptyOrBusyIsRefusedWithWhatToDo()
    {
        AssertRefused(3, "does not exist. Make it first: mkdir -p", "mount", Path.Combine(_directory, "absent"));
        AssertRefused(3, "is not empty", "mount", _directory.Length > 0 ? Directory.GetParent(MountPoint)!.FullName : string.Empty);
        string file = Path.Combine(_directory, "file");
        File.WriteAllText(file, string.Empty);
        AssertRefused(3, "is a file", "mount", file);
        using HarnessProcess mount = HarnessProcess.Start("mount", "--backend", "null", MountPoint);
        Assert.True(SpinWait.SpinUntil(() => IsMounted, s_limit));
        AssertRefused(3, "is mounted at", "mount", MountPoint);
    }

    [Theory]
    [InlineData("there is no 'nul'", "--backend", "nul")]
    [InlineData("--max-write: '3K'", "--max-write", "3K")]
    [InlineData("--channel: 'io_uring' is unknown", "--channel", "io_uring")]
    [InlineData("did you mean 'max-write'?", "-o", "max-wrte=1M")]
    [InlineData("there is no option '--thraeds'; did you mean '--threads'?", "--thraeds", "2")]
    public void AWrongOptionIsRefusedWithWhatIsAllowed(string expected, params string[] arguments) =>
        AssertRefused(2, expected, ["mount", .. arguments, MountPoint]);

    [Fact]
    public void UnmountingWhatIsNotMountedIsRefused() => AssertRefused(2, "No FUSE file system is mounted", "unmount", MountPoint);

    [Fact]
    public void EveryKnobIsListedAmongTheOptions()
    {
        (int code, string output, _) = HarnessProcess.Run("mount", "--options");
        Assert.Equal(0, code);
        Assert.All(Harness.Experiments.Plan.Knobs.All, knob => Assert.Contains($"  {knob.Name} (", output, StringComparison.Ordinal));
    }

    [Fact]
    public void TheDoctorNamesWhatItLooksAt()
    {
        (_, string output, _) = HarnessProcess.Run("doctor", "--json");
        using var document = System.Text.Json.JsonDocument.Parse(output);
        string[] names = [.. document.RootElement.EnumerateArray().Select(finding => finding.GetProperty("name").GetString()!)];
        Assert.Superset(new HashSet<string> { "/dev/fuse", "fio", "CPUs", "NUMA nodes", "FUSE over io_uring" }, names.ToHashSet());
    }

    private static void AssertRefused(int expectedCode, string expected, params string[] arguments)
    {
        (int code, _, string errors) = HarnessProcess.Run(arguments);
        Assert.True(code == expectedCode, $"{code}: {errors}");
        Assert.Contains(expected, errors, StringComparison.Ordinal);
    }
}
