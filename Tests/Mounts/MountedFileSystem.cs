using Harness.Experiments.Mounting;
using Harness.Experiments.Plan;
using Harness.FuseProtocol;

namespace Harness.Tests.Mounts;

/// <summary>A file system mounted in this process on a directory of its own; unmounted, by force if need be, when disposed.</summary>
internal sealed class MountedFileSystem : IDisposable
{
    private readonly MountHost _host;

    private MountedFileSystem(MountHost host) => _host = host;

    /// <summary>The mount point.</summary>
    public string Path => _host.Spec.MountPoint;

    /// <summary>What INIT agreed on.</summary>
    public NegotiatedInit Negotiated => _host.Negotiated;

    /// <summary>The mount.</summary>
    public MountHost Host => _host;

    /// <summary>Mounts a file system.</summary>
    /// <param name="fileSystem">What is served; null for the backend that <paramref name="backend"/> names.</param>
    /// <param name="backend">A backend's name.</param>
    /// <param name="knobs">Knobs as the command line spells them, such as <c>max-write=128K</c>.</param>
    public static MountedFileSystem Mount(IFileSystem? fileSystem, string backend, params IEnumerable<string> knobs)
    {
        KnobSettings settings = KnobSettings.None;
        foreach (string[] pair in knobs.Select(knob => knob.Split('=')))
        {
            Knob knob = Knobs.All.Single(each => each.Name == pair[0]);
            settings = settings.With(knob, knob.Kind.Parse(pair[1]));
        }

        string directory = Directory.CreateTempSubdirectory("harness-test-").FullName;
        try
        {
            var spec = new MountSpec { Backend = new Backend(backend, null), Knobs = settings, MountPoint = directory };
            return new MountedFileSystem(fileSystem is null ? MountHost.Start(spec) : MountHost.Start(spec, fileSystem));
        }
        catch
        {
            Directory.Delete(directory);
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _host.Dispose();
        Directory.Delete(Path);
    }
}
