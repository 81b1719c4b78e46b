using System.Text.Json;
using System.Text.Json.Serialization;

namespace Harness.Results;

/// <summary>
/// What a run ran on, enough to judge its figures and to repeat it: environment.json. Keys are snake case with the unit last, as in
/// results.csv; the keys of the dictionaries are written as they are.
/// </summary>
public sealed record RunEnvironment
{
    /// <summary>The kernel's name and release (<c>uname -sr</c>), as <c>Linux 6.18.0</c>.</summary>
    public required string Kernel { get; init; }

    /// <summary>The kernel's build (<c>uname -v</c>), which tells kernels of one release apart.</summary>
    public required string KernelVersion { get; init; }

    /// <summary>The CPU's name as the kernel gives it.</summary>
    public required string CpuModel { get; init; }

    /// <summary>CPUs online.</summary>
    public required int Cpus { get; init; }

    /// <summary>NUMA nodes online.</summary>
    public required int NumaNodes { get; init; }

    /// <summary>Main memory, bytes.</summary>
    public required long MemoryBytes { get; init; }

    /// <summary>Kernel settings that bear on the figures, by path below /proc/sys or /sys, as they were while the trials ran.</summary>
    public required IReadOnlyDictionary<string, string> Sysctls { get; init; }

    /// <summary>Versions of the tools and packages that took part, by name.</summary>
    public required IReadOnlyDictionary<string, string> Versions { get; init; }

    /// <summary>The commit the harness was built from; null outside a repository.</summary>
    public required string? Commit { get; init; }

    /// <summary>Whether the work tree differed from the commit.</summary>
    public required bool Dirty { get; init; }

    /// <summary>The seed that all chance of the run comes from.</summary>
    public required long Seed { get; init; }

    /// <summary>The command, word by word.</summary>
    public required IReadOnlyList<string> CommandLine { get; init; }

    /// <summary>When the run began, UTC.</summary>
    public required DateTimeOffset StartedAtUtc { get; init; }

    /// <summary>When the run ended, UTC; null while it goes on and when it was killed.</summary>
    public DateTimeOffset? FinishedAtUtc { get; init; }

    /// <summary>Every system setting that the run changed.</summary>
    public IReadOnlyList<SettingChange> SettingsChanged { get; init; } = [];

    /// <summary>Writes environment.json, whole or not at all.</summary>
    /// <exception cref="IOException">The directory is missing or full; the old file, if any, is untouched.</exception>
    public void Write(string path) =>
        WholeFile.Write(path, JsonSerializer.Serialize(this, RunEnvironmentJson.Default.RunEnvironment) + "\n");

    /// <summary>Reads an environment.json, as a resumed run does for the seed.</summary>
    /// <exception cref="InvalidDataException">The file is no environment.json; the message says where.</exception>
    public static RunEnvironment Read(string path)
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllText(path), RunEnvironmentJson.Default.RunEnvironment)
                ?? throw new InvalidDataException($"{path}: holds null instead of a run's environment");
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"{path}: {e.Message}", e);
        }
    }
}

/// <summary>A system setting that a run changed.</summary>
/// <param name="Setting">Its path, as <c>/proc/sys/fs/fuse/max_pages_limit</c>.</param>
/// <param name="Before">The value found.</param>
/// <param name="During">The value while the trials ran.</param>
/// <param name="Restored">Whether the value found has been put back.</param>
public sealed record SettingChange(string Setting, string Before, string During, bool Restored);

[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(RunEnvironment))]
internal sealed partial class RunEnvironmentJson : JsonSerializerContext;
