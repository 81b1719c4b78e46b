using System.Globalization;
using Harness.Experiments.Mounting;
using Harness.Experiments.Plan;
using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;

namespace Harness.Tests.Mounts;

/// <summary>A mount in this process, for the tests of one class. Its file system is empty, and everybody may write to its root.</summary>
/// <remarks>
/// The daemon's threads serve the very process whose threads wait for them. So no test may touch memory that is mapped from the mount in managed
/// code: the collector would wait for a thread that waits for a page that waits for a thread that the collector has stopped.
/// </remarks>
public abstract class MountFixture : IDisposable
{
    // A class takes seconds. What takes a minute hangs, and is better ended by ECONNABORTED than by whoever runs the tests.
    private static readonly TimeSpan s_lifeMax = TimeSpan.FromMinutes(1);

    private readonly string _base;
    private readonly MountHost? _host;
    private readonly Timer? _watchdog;
    private int _directories;

    private protected MountFixture(
        Func<string, Backend> backend, Func<string, IFileSystem>? fileSystem = null, params (Knob Knob, string Value)[] knobs)
    {
        _base = Directory.CreateTempSubdirectory("harness-mount-").FullName;
        Root = Path.Combine(_base, "mount");
        if (RealMounts.Absence is not null)
        {
            // Every test that wants the mount is skipped.
            return;
        }

        // Other users walk through it.
        Posix.Ok(Posix.Chmod(_base, 0x1ED));
        Directory.CreateDirectory(Root);
        Served = Directory.CreateDirectory(Path.Combine(_base, "served")).FullName;
        KnobSettings settings = knobs.Aggregate(KnobSettings.None, (all, one) => all.With(one.Knob, one.Knob.Kind.Parse(one.Value)));
        var spec = new MountSpec { Backend = backend(Served), MountPoint = Root, Knobs = settings };
        _host = fileSystem is null ? MountHost.Start(spec) : MountHost.Start(spec, fileSystem(Served));
        _watchdog = new Timer(_ => _host.Abort(), null, s_lifeMax, Timeout.InfiniteTimeSpan);
        Posix.Ok(Posix.Chmod(Root, 0x1FF));
    }

    /// <summary>The mount point.</summary>
    public string Root { get; }

    /// <summary>The directory of the host that is served, where one is.</summary>
    public string Served { get; } = string.Empty;

    /// <summary>Whether the kernel caches writes.</summary>
    public bool HasWritebackCache => Host.Negotiated.Has(InitFlags.WritebackCache);

    /// <summary>The connection.</summary>
    internal MountHost Host => _host ?? throw new InvalidOperationException("nothing is mounted");

    /// <summary>A new directory for one test, which everybody may write to.</summary>
    public string NewDirectory()
    {
        string path = Path.Combine(Root, Interlocked.Increment(ref _directories).ToString(CultureInfo.InvariantCulture));
        Directory.CreateDirectory(path);
        Posix.Ok(Posix.Chmod(path, 0x1FF));
        return path;
    }

    public void Dispose()
    {
        _watchdog?.Dispose();
        _host?.Dispose();
        // Paths may be longer than the framework's own deletion can name.
        Programs.Run("/", "rm", "-rf", "--one-file-system", _base);
        GC.SuppressFinalize(this);
    }
}
