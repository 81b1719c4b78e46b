using Harness.Experiments.Keeping;
using Harness.Tests.Experiments.Commands;
using Harness.Tests.Mounts;
using Mono.Unix.Native;

namespace Harness.Tests.Experiments.Keeping;

/// <summary><c>./harness mount --keep</c> on real mounts: daemons and supervisors die, and what applications see of it.</summary>
public sealed class KeptMountTests
{
    [RealMountTheory]
    [InlineData("dev-fuse", "128K", "off")]
    [InlineData("clone", "1M", "on")]
    public void ADaemonKilledUnderLoadIsAPauseAndNoError(string channel, string maxWrite, string writeback)
    {
        using var mount = new KeptMount("--channel", channel, "-o", $"max-write={maxWrite}", writeback == "on" ? "--writeback" : "--no-writeback");
        using var load = new KeptLoad(mount.MountPoint);
        for (int deaths = 0; deaths < 2; deaths++)
        {
            load.AwaitProgress();
            mount.AwaitSuccessor(mount.Kill());
        }

        load.AwaitProgress();
        Assert.Empty(load.End());
        Assert.Equal(3U, mount.Status!.Generation);
        (int code, _, string errors) = HarnessProcess.Run("unmount", mount.MountPoint);
        Assert.True(code == 0, errors);
        (code, _, errors) = mount.Supervisor.Wait();
        Assert.True(code == 0, errors);
        Assert.Contains("was killed by signal 9", errors, StringComparison.Ordinal);
    }

    [RealMountFact]
    public void UpgradeAndSigHupReplaceTheDaemonAndOpenFilesGoOn()
    {
        using var mount = new KeptMount();
        using FileStream open = File.Open(mount.Mounted("file"), FileMode.CreateNew);
        open.Write("kept"u8);
        open.Flush();
        File.Delete(mount.Mounted("file"));
        int first = mount.Status!.Daemon;
        (int code, string output, string errors) = HarnessProcess.Run("upgrade", mount.MountPoint);
        Assert.True(code == 0, errors);
        Assert.Contains($"daemon {first} was replaced", output, StringComparison.Ordinal);
        int second = mount.Status!.Daemon;
        Assert.NotEqual(first, second);

        mount.Supervisor.Signal(Signum.SIGHUP);
        mount.AwaitSuccessor(second);
        open.Write(" on"u8);
        open.Flush();
        open.Position = 0;
        Assert.Equal("kept on", new StreamReader(open).ReadToEnd());
    }

    [RealMountTheory]
    [InlineData(Signum.SIGINT)]
    [InlineData(Signum.SIGTERM)]
    public void ASignalUnmountsAndEndsWell(Signum signal)
    {
        using var mount = new KeptMount();
        mount.Supervisor.Signal(signal);
        (int code, _, string errors) = mount.Supervisor.Wait();
        Assert.True(code == 0, errors);
        Assert.False(mount.IsMounted);
    }

    [RealMountFact]
    public void ASecondSignalDoesNotWaitForADaemonThatHangs()
    {
        using var mount = new KeptMount("--writeback");
        File.WriteAllText(mount.Mounted("dirty"), "the unmount waits for somebody to write this");
        int daemon = mount.Status!.Daemon;
        Assert.Equal(0, Syscall.kill(daemon, Signum.SIGSTOP));
        mount.Supervisor.Signal(Signum.SIGINT);
        KeptMount.Until(() => !mount.IsMounted);
        mount.Supervisor.Signal(Signum.SIGINT);
        mount.Supervisor.Wait();
        KeptMount.Until(() => Syscall.kill(daemon, 0) < 0);
    }

    [RealMountFact]
    public void WithoutItsSupervisorTheMountGivesErrorsAndIsFreedByUnmount()
    {
        using var mount = new KeptMount();
        int daemon = mount.Status!.Daemon;
        mount.Supervisor.Signal(Signum.SIGKILL);
        mount.AwaitEnd();
        KeptMount.Until(() => Syscall.kill(daemon, 0) < 0);
        (int code, _, string errors) = HarnessProcess.Run("unmount", mount.MountPoint);
        Assert.True(code == 0, errors);
        Assert.False(mount.IsMounted);
    }

    [RealMountFact]
    public void UnmountByForceNeedsNoDaemon()
    {
        using var mount = new KeptMount("--writeback");
        File.WriteAllText(mount.Mounted("dirty"), "nobody is there to write this");
        mount.Supervisor.Signal(Signum.SIGSTOP);
        int daemon = int.Parse(File.ReadAllText($"/proc/{mount.Supervisor.Id}/task/{mount.Supervisor.Id}/children").Split(' ')[0], null);
        Assert.Equal(0, Syscall.kill(daemon, Signum.SIGKILL));
        (int code, _, string errors) = HarnessProcess.Run("unmount", "--force", mount.MountPoint);
        mount.Supervisor.Signal(Signum.SIGCONT);
        Assert.True(code == 0, errors);
        Assert.False(mount.IsMounted);
        mount.Supervisor.Wait();
    }

    [RealMountFact]
    public void AMountWhoseDaemonsCannotLiveIsGivenUp()
    {
        using var mount = new KeptMount();
        int last = 0;
        int deaths = 0;
        while (mount.Status is SupervisorStatus status)
        {
            if (status.Daemon != last)
            {
                last = status.Daemon;
                deaths += Syscall.kill(last, Signum.SIGKILL) == 0 ? 1 : 0;
            }
        }

        (int code, _, string errors) = mount.Supervisor.Wait();
        Assert.Equal(1, code);
        Assert.InRange(deaths, 1, DeathCount.DeathsMax + 1);
        Assert.Contains("is given up", errors, StringComparison.Ordinal);
        mount.AwaitEnd();
    }

    [Theory]
    [InlineData("--keep does not go with --backend memory", "--backend", "memory")]
    [InlineData("--keep does not go with --channel io-uring", "--backend", "null", "--channel", "io-uring")]
    public void WhatCannotBeKeptIsRefusedWithWhatCan(string expected, params string[] options)
    {
        (int code, _, string errors) = HarnessProcess.Run(["mount", "--keep", .. options, Path.GetTempPath()]);
        Assert.Equal(2, code);
        Assert.Contains(expected, errors, StringComparison.Ordinal);
        Assert.Contains("Choose", errors, StringComparison.Ordinal);
    }
}
