using Harness.Experiments.Observing;

namespace Harness.Tests.Experiments.Observing;

/// <summary>Metrics as Prometheus reads them, and logs as programs do.</summary>
public sealed class MetricsTextTests
{
    [Fact]
    public void HelpAndTypeStandOnceBeforeAllValuesOfAName()
    {
        string text = new MetricsText()
            .Gauge("chunks", "Chunks by state.", 3, ("state", "healthy"))
            .Gauge("chunks", "Chunks by state.", 0.5, ("state", "odd \"one\"\n\\"))
            .Counter("reads_total", "Reads.", 1e18)
            .ToString();
        Assert.Equal(
            """
            # HELP harness_chunks Chunks by state.
            # TYPE harness_chunks gauge
            harness_chunks{state="healthy"} 3
            harness_chunks{state="odd \"one\"\n\\"} 0.5
            # HELP harness_reads_total Reads.
            # TYPE harness_reads_total counter
            harness_reads_total 1E+18

            """,
            text);
    }

    [Fact]
    public void AProcessTellsWhatEveryProcessDoesUnderTheUsualNames()
    {
        string text = new MetricsText().Process().ToString();
        Assert.Contains("\nprocess_resident_memory_bytes ", text, StringComparison.Ordinal);
        Assert.Contains("# TYPE process_cpu_seconds_total counter\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public void AnEventIsOneLineOfJson()
    {
        using var writer = new StringWriter();
        new JsonLog(writer, TimeProvider.System, "cs1").Write(true, "lease ends", ("server", 7u), ("address", "a \"b\""));
        string line = Assert.Single(writer.ToString().TrimEnd('\n').Split('\n'));
        using var document = System.Text.Json.JsonDocument.Parse(line);
        Assert.Equal(["time", "level", "node", "event", "server", "address"], document.RootElement.EnumerateObject().Select(property => property.Name));
        Assert.Equal(("warning", 7), (document.RootElement.GetProperty("level").GetString(), document.RootElement.GetProperty("server").GetInt32()));
    }
}
