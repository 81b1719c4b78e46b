using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace Harness.Experiments.Observing;

/// <summary>Metrics in Prometheus' text format, version 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats).</summary>
internal sealed class MetricsText
{
    private readonly StringBuilder _text = new();
    private string _last = string.Empty;

    /// <summary>Adds what can rise and fall.</summary>
    public MetricsText Gauge(string name, string help, double value, params (string Name, string Value)[] labels) => Add(name, "gauge", help, value, labels);

    /// <summary>Adds what only rises, while the process lives.</summary>
    public MetricsText Counter(string name, string help, double value, params (string Name, string Value)[] labels) =>
        Add(name, "counter", help, value, labels);

    /// <summary>Adds what every process has, under the names that Prometheus' own clients give it.</summary>
    public MetricsText Process()
    {
        using var process = System.Diagnostics.Process.GetCurrentProcess();
        return Counter("process_cpu_seconds_total", "CPU time used, user and system.", process.TotalProcessorTime.TotalSeconds)
            .Gauge("process_resident_memory_bytes", "Resident memory.", process.WorkingSet64)
            .Gauge("process_start_time_seconds", "When the process was started, in seconds since 1970.", StartedAt(process))
            .Gauge("dotnet_gc_heap_bytes", "Managed heap.", GC.GetTotalMemory(forceFullCollection: false))
            .Gauge(
                "dotnet_gc_committed_bytes", "What the managed heap has of the system, as the last collection left it.",
                GC.GetGCMemoryInfo().TotalCommittedBytes)
            .Counter("dotnet_gc_collections_total", "Garbage collections.", GC.CollectionCount(0));
    }

    /// <inheritdoc/>
    public override string ToString() => _text.ToString();

    private static double StartedAt(Process process) => new DateTimeOffset(process.StartTime.ToUniversalTime()).ToUnixTimeMilliseconds() / 1e3;

    private MetricsText Add(string name, string type, string help, double value, (string Name, string Value)[] labels)
    {
        string full = name.StartsWith("process_", StringComparison.Ordinal) || name.StartsWith("dotnet_", StringComparison.Ordinal) ? name : $"harness_{name}";
        if (full != _last)
        {
            _text.Append(CultureInfo.InvariantCulture, $"# HELP {full} {help}\n# TYPE {full} {type}\n");
            _last = full;
        }

        string set = labels.Length == 0 ? string.Empty : $"{{{string.Join(',', labels.Select(static label => $"{label.Name}=\"{Escape(label.Value)}\""))}}}";
        _text.Append(CultureInfo.InvariantCulture, $"{full}{set} {value:R}\n");
        return this;
    }

    private static string Escape(string value) =>
        value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);
}
