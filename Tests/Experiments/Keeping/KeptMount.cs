using Harness.Experiments.Keeping;
using Harness.Tests.Experiments.Commands;
using Harness.Transport.Mounting;
using Mono.Unix.Native;

namespace Harness.Tests.Experiments.Keeping;

/// <summary>A real mount with a supervisor, as its user starts it, on a directory of its own.</summary>
internal sealed class KeptMount : IDisposable
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(60);

    private readonly string _directory = Directory.CreateTempSubdirectory("harness-kept-").FullName;
    private readonly uint _connection;

    public KeptMount(params string[] options)
    {
        Directory.CreateDirectory(Served);
        Directory.CreateDirectory(MountPoint);
        Supervisor = HarnessProcess.Start(["mount", "--keep", "--backend", $"passthrough:{Served}", MountPoint, .. options]);
        MountEntry? entry = null;
        Until(() => (entry = MountTable.Find(MountPoint)) is not null);
        _connection = entry!.DeviceMinor;
        Until(() => Status is { IsServing: true });
    }

    public HarnessProcess Supervisor { get; }

    /// <summary>How the daemon is; null if there is no supervisor.</summary>
    public SupervisorStatus? Status => SupervisorStatus.Of(_connection);

    public string Served => Path.Combine(_directory, "served");

    public string MountPoint => Path.Combine(_directory, "mnt");

    public bool IsMounted => MountTable.Find(MountPoint) is not null;

    public static void Until(Func<bool> condition) => Assert.True(SpinWait.SpinUntil(condition, s_limit), "what the test waits for did not come");

    public string Mounted(string name) => Path.Combine(MountPoint, name);

    /// <summary>Kills the daemon with SIGKILL.</summary>
    /// <returns>Its process id.</returns>
    public int Kill()
    {
        int daemon = Status!.Daemon;
        Assert.Equal(0, Syscall.kill(daemon, Signum.SIGKILL));
        return daemon;
    }

    /// <summary>Waits for another daemon than this one.</summary>
    public void AwaitSuccessor(int of) => Until(() => Status is { IsServing: true } status && status.Daemon != of);

    /// <summary>What a call fails with where the connection has ended; waits for that.</summary>
    public void AwaitEnd() => Until(() => Syscall.stat(Mounted("any"), out _) < 0 && Stdlib.GetLastError() == Errno.ENOTCONN);

    public void Dispose()
    {
        if (IsMounted)
        {
            HarnessProcess.Run("unmount", "--force", MountPoint);
        }

        Supervisor.Dispose();
        Directory.Delete(_directory, recursive: true);
    }
}
