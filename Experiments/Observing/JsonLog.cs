using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Harness.Cluster;

namespace Harness.Experiments.Observing;

/// <summary>A node's log: one JSON object a line, for programs and for whoever reads with less(1).</summary>
/// <remarks>
/// The keys <c>time</c> (UTC), <c>level</c>, <c>node</c> and <c>event</c> come first and are always there. Events are few, so each line is
/// written at once, and is there after a crash.
/// </remarks>
internal sealed class JsonLog(TextWriter writer, TimeProvider time, string node) : INodeLog
{
    private readonly Lock _lock = new();

    /// <inheritdoc/>
    public void Write(bool isProblem, string what, params ReadOnlySpan<(string Name, object Value)> fields)
    {
        var line = new JsonObject
        {
            ["time"] = time.GetUtcNow().ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture),
            ["level"] = isProblem ? "warning" : "info",
            ["node"] = node,
            ["event"] = what,
        };
        foreach ((string name, object value) in fields)
        {
            line[name] = value switch
            {
                int number => number,
                uint number => number,
                long number => number,
                ulong number => number,
                _ => string.Create(CultureInfo.InvariantCulture, $"{value}"),
            };
        }

        string text = line.ToJsonString(JsonSerializerOptions.Default);
        lock (_lock)
        {
            writer.WriteLine(text);
            writer.Flush();
        }
    }
}
