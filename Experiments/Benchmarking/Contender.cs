using Harness.Experiments.Machine;
using Harness.Experiments.Mounting;
using Harness.Experiments.Plan;
using Harness.Experiments.Running;
using Harness.Runtime;

namespace Harness.Experiments.Benchmarking;

/// <summary>Something to mount and to measure: a server, in a shape, at a place.</summary>
/// <param name="Server">Who serves, in a word.</param>
/// <param name="Shape">How.</param>
/// <param name="Placement">Where it and the application run.</param>
internal abstract record Contender(string Server, Shape Shape, Placement Placement)
{
    /// <summary>A file that every contender serves.</summary>
    public const string ProbeFile = "zero.0";

    /// <summary>Unique in a run: <c>floor io-uring pinned</c>.</summary>
    public string Name => $"{Server} {Shape} {(Placement.IsPinned ? "pinned" : "unpinned")}";

    /// <summary>Whether this is ours.</summary>
    public virtual bool IsHarness => false;

    /// <summary>Mounts it.</summary>
    /// <exception cref="Transport.FuseTransportException">It cannot be mounted.</exception>
    public async Task<DaemonProcess> Start(string mountPoint, CancellationToken cancellationToken)
    {
        // What a ring needs is switched on from before mount(2) until INIT is over; our own mount does so for itself.
        using var settings = SystemSettings.Hold(IsHarness ? [] : ChannelFactory.Needs(Spec(mountPoint)));
        IReadOnlyList<string> commandLine = PinnedCommand.On(Placement.Daemon, CommandLine(mountPoint));
        return await (IsHarness
            ? DaemonProcess.StartHarness(commandLine, mountPoint, cancellationToken)
            : DaemonProcess.StartPeer(commandLine, mountPoint, ProbeFile, cancellationToken)).ConfigureAwait(false);
    }

    /// <summary>The command line that mounts it, wherever it may run.</summary>
    public abstract IReadOnlyList<string> CommandLine(string mountPoint);

    /// <summary>Where an application of so many jobs runs.</summary>
    public CpuSet? Application(long jobs) => Placement.Application(jobs);

    private protected MountSpec Spec(string mountPoint) =>
        new() { Backend = new Backend(Backend.Null, null), Knobs = Shape.Harness(Placement.IsPinned), MountPoint = mountPoint };
}

/// <summary>Our own null mount.</summary>
internal sealed record HarnessContender(Shape Shape, Placement Placement) : Contender("harness", Shape, Placement)
{
    /// <inheritdoc/>
    public override bool IsHarness => true;

    /// <inheritdoc/>
    public override IReadOnlyList<string> CommandLine(string mountPoint) => DaemonProcess.HarnessMount(
        ["--backend", Backend.Null, .. Shape.Harness(Placement.IsPinned).MountArguments()], mountPoint);
}

/// <summary>The null file system on libfuse.</summary>
internal sealed record LibfuseContender(Shape Shape, Placement Placement) : Contender("libfuse", Shape, Placement)
{
    /// <inheritdoc/>
    public override IReadOnlyList<string> CommandLine(string mountPoint) => [PeerPrograms.Libfuse, .. Shape.Libfuse(), mountPoint];
}

/// <summary>The null server in bare C.</summary>
internal sealed record FloorContender(Shape Shape, Placement Placement) : Contender("floor", Shape, Placement)
{
    /// <inheritdoc/>
    public override IReadOnlyList<string> CommandLine(string mountPoint) =>
        [PeerPrograms.Floor, .. Shape.Floor(Placement.IsPinned), mountPoint];
}

/// <summary>A mount that the user names.</summary>
/// <param name="Command">A simple command of sh(1), with <see cref="MountPointMark"/> where the mount point goes.</param>
/// <param name="Shape">What it is put beside.</param>
/// <param name="Placement">Where it and the application run.</param>
internal sealed record CommandContender(string Command, Shape Shape, Placement Placement) : Contender("peer", Shape, Placement)
{
    /// <summary>Stands for the mount point in a command.</summary>
    public const string MountPointMark = "{}";

    private static readonly string[] s_endsWithParent = ["setpriv", "--pdeathsig", "TERM"];

    /// <inheritdoc/>
    /// <remarks>
    /// The shell gives way to the command, so that what is stopped, timed and placed is the server itself. setpriv(1), where it is, ends it
    /// with this program, even if that is killed.
    /// </remarks>
    public override IReadOnlyList<string> CommandLine(string mountPoint) =>
    [
        .. Programs.Exist(s_endsWithParent[0]) ? s_endsWithParent : [],
        "/bin/sh", "-c", $"exec {Command.Replace(MountPointMark, $"'{mountPoint}'", StringComparison.Ordinal)}",
    ];
}
