using System.Text.Json;
using Harness.Tests.Experiments.Commands;
using Harness.Transport.Mounting;

namespace Harness.Tests.Experiments.Clusters;

/// <summary>A directory in which a test's cluster lives, driven as its user drives it; nothing runs or is mounted when it is disposed.</summary>
internal sealed class HostCluster : IDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    private readonly string _base = System.IO.Directory.CreateTempSubdirectory("harness-cluster-").FullName;

    /// <summary>The cluster's directory.</summary>
    public string Directory => Path.Combine(_base, "cluster");

    /// <summary>A directory to mount on.</summary>
    public string MountPoint => System.IO.Directory.CreateDirectory(Path.Combine(_base, "mnt")).FullName;

    /// <summary>Whether something is mounted there.</summary>
    public bool IsMounted => MountTable.Find(Path.Combine(_base, "mnt")) is not null;

    /// <summary>A path below the mount point.</summary>
    public string this[string name] => Path.Combine(_base, "mnt", name);

    /// <summary>Runs a command on it.</summary>
    public (int Code, string Output, string Errors) Run(string command, params IEnumerable<string> arguments) =>
        HarnessProcess.Run(["cluster", command, "--dir", Directory, .. arguments]);

    /// <summary>Runs a command on it and expects success.</summary>
    public string Ok(string command, params IEnumerable<string> arguments)
    {
        (int code, string output, string errors) = Run(command, arguments);
        Assert.True(code == 0, $"cluster {command}: exit {code}\n{output}\n{errors}\n{Logs()}");
        return output;
    }

    /// <summary>What <c>status --json</c> says.</summary>
    public JsonElement Status()
    {
        (_, string output, string errors) = Run("status", "--json");
        Assert.True(output.Length > 0, errors);
        return JsonDocument.Parse(output).RootElement;
    }

    /// <summary>Asks until nothing is wrong any more.</summary>
    public JsonElement AwaitHealthy()
    {
        JsonElement status = default;
        bool healthy = SpinWait.SpinUntil(
            () =>
            {
                status = Status();
                return status.GetProperty("problems").GetArrayLength() == 0;
            },
            s_patience);
        Assert.True(healthy, $"{status}\n{Logs()}");
        return status;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (File.Exists(Path.Combine(Directory, "cluster.json")))
        {
            Run("down", "--force");
        }

        Assert.False(IsMounted);
        System.IO.Directory.Delete(_base, recursive: true);
    }

    private string Logs() => System.IO.Directory.Exists(Path.Combine(Directory, "log"))
        ? string.Join('\n', System.IO.Directory.GetFiles(Path.Combine(Directory, "log")).Select(file => $"{Path.GetFileName(file)}:\n{File.ReadAllText(file)}"))
        : string.Empty;
}
