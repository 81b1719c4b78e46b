using System.Globalization;
using Harness.Experiments.Mounting;
using Harness.Experiments.Plan;
using Harness.Experiments.Running;
using Harness.FuseProtocol;
using Harness.Transport.Mounting;

namespace Harness.Tests.Mounts;

/// <summary>A mount for the tests of one class. Its file system is empty, and everybody may write to its root.</summary>
/// <remarks>
/// The daemon is a process of its own. In this one it would share the address space with tests that touch memory mapped from its files: such a
/// test holds the lock of that address space until the page has come, and the daemon needs the same lock for its next mmap(2) or mprotect(2).
/// </remarks>
public abstract class MountFixture : IAsyncLifetime
{
    // A class takes seconds. What takes a minute hangs, and is better ended by ECONNABORTED than by whoever runs the tests.
    private static readonly TimeSpan s_lifeMax = TimeSpan.FromMinutes(1);

    private readonly string _base;
    private readonly Func<string, Backend> _backend;
    private readonly Func<string, IFileSystem>? _fileSystem;
    private readonly (Knob Knob, string Value)[] _knobs;
    private readonly TaskCompletionSource _ended = new();
    private DaemonProcess? _daemon;
    private MountHost? _host;
    private int _directories;

    /// <param name="backend">What is served, given a directory of the host.</param>
    /// <param name="fileSystem">What only this process can make of it, and therefore serves; its tests map nothing.</param>
    /// <param name="knobs">How it is mounted.</param>
    private protected MountFixture(
        Func<string, Backend> backend, Func<string, IFileSystem>? fileSystem = null, params (Knob Knob, string Value)[] knobs)
    {
        (_backend, _fileSystem, _knobs) = (backend, fileSystem, knobs);
        _base = Directory.CreateTempSubdirectory("harness-mount-").FullName;
        Root = Path.Combine(_base, "mount");
    }

    /// <summary>Mounts, where it can; elsewhere every test that wants the mount is skipped.</summary>
    public async Task InitializeAsync()
    {
        if (RealMounts.Absence is not null)
        {
            return;
        }

        // Other users walk through it.
        Posix.Ok(Posix.Chmod(_base, 0x1ED));
        Directory.CreateDirectory(Root);
        string served = Directory.CreateDirectory(Path.Combine(_base, "served")).FullName;
        Backend backend = _backend(served);
        IsCluster = backend.Name == Backend.Cluster;
        Served = backend.Name == Backend.Passthrough ? served : string.Empty;
        if (_fileSystem is null)
        {
            IEnumerable<string> settings = _knobs.SelectMany(knob => knob.Knob.MountArguments(knob.Knob.Kind.Parse(knob.Value)));
            _daemon = await DaemonProcess.StartHarness(
                DaemonProcess.HarnessMount(["--backend", backend.MountArgument, .. settings], Root), Root, CancellationToken.None);
        }
        else
        {
            _host = MountHost.Start(new MountSpec { Backend = backend, MountPoint = Root }, _fileSystem(served));
        }

        _ = AbortIfItHangs();
        Posix.Ok(Posix.Chmod(Root, 0x1FF));
    }

    /// <summary>The mount point.</summary>
    public string Root { get; }

    /// <summary>The directory of the host that is served, where one is.</summary>
    public string Served { get; private set; } = string.Empty;

    /// <summary>
    /// Whether it is a cluster. Its metadata server, which tells attributes, does not know which blocks chunk servers hold, so that st_blocks counts
    /// what a file's chunks may hold; and reading changes no atime, which would make a change of metadata of each first read.
    /// </summary>
    public bool IsCluster { get; private set; }

    /// <summary>Whether the kernel caches writes.</summary>
    public bool HasWritebackCache => _knobs.Any(knob => knob == (Knobs.Writeback, "on"));

    /// <summary>A new directory for one test, which everybody may write to.</summary>
    public string NewDirectory()
    {
        string path = Path.Combine(Root, Interlocked.Increment(ref _directories).ToString(CultureInfo.InvariantCulture));
        Directory.CreateDirectory(path);
        Posix.Ok(Posix.Chmod(path, 0x1FF));
        return path;
    }

    /// <summary>Unmounts, and removes what was served.</summary>
    public async Task DisposeAsync()
    {
        _ended.SetResult();
        _host?.Dispose();
        if (_daemon is not null)
        {
            await _daemon.DisposeAsync();
        }

        // Paths may be longer than the framework's own deletion can name.
        Programs.Run("/", "rm", "-rf", "--one-file-system", _base);
    }

    private async Task AbortIfItHangs()
    {
        await Task.WhenAny(_ended.Task, Task.Delay(s_lifeMax));
        if (!_ended.Task.IsCompleted && MountTable.Find(Root) is MountEntry entry)
        {
            FuseControl.TryAbort(entry.DeviceMinor);
        }
    }
}
