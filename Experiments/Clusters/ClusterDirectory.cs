using System.Globalization;
using Harness.Experiments.Commands;
using Harness.Transport;

namespace Harness.Experiments.Clusters;

/// <summary>The directory of a cluster on this host: what it is (<c>cluster.json</c>), its servers' directories, their logs and their processes.</summary>
internal sealed class ClusterDirectory
{
    /// <summary>The name of the metadata server, as of its directory, its log and its process.</summary>
    public const string MetadataName = "mds";

    /// <summary>The name of the mount's process.</summary>
    public const string MountName = "mount";

    /// <summary>What makes a directory a cluster's.</summary>
    public const string ConfigName = "cluster.json";

    private ClusterDirectory(string path) => Path = path;

    /// <summary>Absolute.</summary>
    public string Path { get; }

    /// <summary>What <c>cluster up</c> was told.</summary>
    public string ConfigPath => System.IO.Path.Combine(Path, ConfigName);

    /// <summary>A cluster's directory that may not be one yet.</summary>
    /// <exception cref="FuseTransportException">It cannot be made or written.</exception>
    /// <exception cref="BadArgumentsException">It has something else in it.</exception>
    public static ClusterDirectory Create(string path)
    {
        var directory = new ClusterDirectory(System.IO.Path.GetFullPath(path));
        try
        {
            if (File.Exists(directory.Path))
            {
                throw new BadArgumentsException($"{directory.Path} is a file. Choose another directory by --dir.");
            }

            bool isForeign = Directory.Exists(directory.Path) && !File.Exists(directory.ConfigPath) &&
                Directory.EnumerateFileSystemEntries(directory.Path).Any();
            if (isForeign)
            {
                throw new BadArgumentsException(
                    $"{directory.Path} is not empty and has no {ConfigName}: it is no cluster's. Choose another directory by --dir, or empty this one.");
            }

            Directory.CreateDirectory(directory.Path);
            Directory.CreateDirectory(directory.In("run"));
            Directory.CreateDirectory(directory.In("log"));
            return directory;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new FuseTransportException(
                $"{directory.Path} cannot be used: {exception.Message} Make it writable for this user, or choose another directory by --dir.", exception);
        }
    }

    /// <summary>A cluster's directory that is one already.</summary>
    /// <exception cref="BadArgumentsException">It is not.</exception>
    public static ClusterDirectory Open(string path)
    {
        var directory = new ClusterDirectory(System.IO.Path.GetFullPath(path));
        return File.Exists(directory.ConfigPath) ? directory : throw new BadArgumentsException(
            $"{directory.Path} is no cluster's directory: it has no {ConfigName}. ./harness cluster up --dir DIR makes one.");
    }

    /// <summary>A chunk server's name.</summary>
    public static string ChunkServerName(int number) => string.Create(CultureInfo.InvariantCulture, $"cs{number}");

    /// <summary>What it is.</summary>
    /// <exception cref="BadArgumentsException">The file is damaged or missing.</exception>
    public ClusterConfig Config() =>
        ClusterConfig.Read(ConfigPath) ?? throw new BadArgumentsException($"{Path} has no {ConfigName}: it is no cluster's.");

    /// <summary>The files of one of its servers.</summary>
    public string DataOf(string name) => In(name);

    /// <summary>A server's log.</summary>
    public string LogOf(string name) => System.IO.Path.Combine(In("log"), $"{name}.log");

    /// <summary>A server's metrics, as a Unix socket: curl --unix-socket PATH http://localhost/metrics.</summary>
    public string MetricsOf(string name) => System.IO.Path.Combine(In("run"), $"{name}.metrics");

    /// <summary>A server's process.</summary>
    public ServerHandle Handle(string name) => new(name, System.IO.Path.Combine(In("run"), $"{name}.json"), LogOf(name));

    /// <summary>Takes the directory for one command at a time.</summary>
    /// <exception cref="FuseTransportException">Another command works on it.</exception>
    public IDisposable Lock()
    {
        try
        {
            return new FileStream(System.IO.Path.Combine(In("run"), "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new FuseTransportException($"Another command works on the cluster in {Path}, or it cannot be written: {exception.Message}", exception);
        }
    }

    private string In(string name) => System.IO.Path.Combine(Path, name);
}
