using System.Text.Json;
using Harness.Experiments.Commands;
using Harness.Results;

namespace Harness.Experiments.Clusters;

/// <summary>What <c>cluster up</c> was told about the cluster in a directory, kept there for the next time.</summary>
internal sealed record ClusterConfig
{
    /// <summary>Where its metadata server listens, HOST:PORT.</summary>
    public required string Listen { get; init; }

    /// <summary>Chunk servers, numbered from 1.</summary>
    public required int ChunkServers { get; init; }

    /// <summary>Replicas, N:MIN.</summary>
    public required string Replicas { get; init; }

    /// <summary>Where it is mounted on this host; null for nowhere.</summary>
    public string? MountPoint { get; init; }

    /// <summary>Words of <c>-o</c> for that mount.</summary>
    public IReadOnlyList<string> MountWords { get; init; } = [];

    /// <summary>Whether all of it runs in the process of the mount.</summary>
    public bool InProcess { get; init; }

    private static JsonSerializerOptions Json { get; } = new() { WriteIndented = true };

    /// <summary>Reads it; null if there is none.</summary>
    /// <exception cref="BadArgumentsException">The file is damaged.</exception>
    public static ClusterConfig? Read(string path)
    {
        try
        {
            return File.Exists(path) ? JsonSerializer.Deserialize<ClusterConfig>(File.ReadAllText(path)) : null;
        }
        catch (JsonException exception)
        {
            throw new BadArgumentsException($"{path} is damaged: {exception.Message} Restore it, or remove it and say again what the cluster is.");
        }
    }

    /// <summary>Writes it, whole or not at all.</summary>
    public void Write(string path) => WholeFile.Write(path, JsonSerializer.Serialize(this, Json) + "\n");
}
