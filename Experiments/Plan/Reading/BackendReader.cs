using Harness.Experiments.Plan.Values;
using Harness.Experiments.Plan.Yaml;

namespace Harness.Experiments.Plan.Reading;

/// <summary>Reads <c>backend</c>: a name, or a map of the name to what the backend needs.</summary>
internal sealed class BackendReader(Problems problems)
{
    private static readonly ValueKind Name = ValueKind.Choice([.. Backend.Names]);

    // Stands in for a backend that was refused, so that the rest of the experiment is read.
    private static readonly Backend Unknown = new(Backend.Memory, null);

    /// <summary>Reads the entry; null stands for one whose absence has been reported.</summary>
    public Backend Read(YamlEntry? entry) => entry?.Value switch
    {
        null => Unknown,
        YamlMap { Entries: [var only] } => ReadMap(only),
        YamlScalar scalar => ReadName(scalar),
        _ => Refuse(
            entry.Value.Mark,
            $"backend: this is {Count(entry.Value)}; allowed: {Name.Expectation}, or a map of one of them to its options"),
    };

    private static string Count(YamlNode node) => node is YamlMap map ? $"a map of {map.Entries.Count} keys" : node.Shape;

    private Backend ReadName(YamlScalar scalar)
    {
        if (!Name.TryParse(scalar.Text, out ScalarValue value, out string complaint))
        {
            return Refuse(scalar.Mark, $"backend: {Complaint.Allowing(complaint, Name.Expectation)}");
        }

        return value.Text == Backend.Passthrough
            ? Refuse(scalar.Mark, "backend: passthrough needs the directory to serve; write {passthrough: DIRECTORY}")
            : new Backend(value.Text, null) { Shape = value.Text == Backend.Cluster ? ClusterShape.Default : null };
    }

    private Backend ReadMap(YamlEntry entry)
    {
        if (entry is { Key.Text: Backend.Cluster, Value: YamlMap { Entries.Count: > 0 } })
        {
            return new Backend(Backend.Cluster, null) { Shape = ReadShape(entry.Value) };
        }

        if (entry.Key.Text != Backend.Passthrough)
        {
            Backend backend = ReadName(entry.Key);
            bool isEmpty = entry.Value is YamlScalar { IsMissing: true } or YamlMap { Entries.Count: 0 };
            return isEmpty || backend.Name != entry.Key.Text
                ? backend
                : Refuse(entry.Value.Mark, $"backend: {backend.Name} takes no options; write backend: {backend.Name}");
        }

        return entry.Value is YamlScalar { IsMissing: false, Text.Length: > 0 } directory
            ? new Backend(Backend.Passthrough, directory.Text)
            : Refuse(entry.Value.Mark, "backend: passthrough needs the directory to serve; write {passthrough: DIRECTORY}");
    }

    private ClusterShape ReadShape(YamlNode node)
    {
        var map = new MapReader(node, "cluster", problems);
        long servers = map.Value("cs", Kinds.ChunkServers)?.Number ?? ClusterShape.Default.ChunkServers;
        YamlEntry? entry = map.Take("replicas");
        long replicas = (entry is null ? null : map.Value(entry, Kinds.Replicas)?.Number) ?? Math.Min(servers, ClusterShape.Default.Replicas);
        if (replicas > servers)
        {
            problems.Add(entry!.Value.Mark, $"replicas: {replicas} replicas need as many chunk servers; allowed: up to cs, which is {servers}");
        }

        map.Finish();
        return new ClusterShape((int)servers, (int)replicas);
    }

    private Backend Refuse(SourceMark mark, string message)
    {
        problems.Add(mark, message);
        return Unknown;
    }
}
