using System.Globalization;
using System.Text.Json;
using Harness.Results;
using Harness.Results.Records;

namespace Harness.Experiments.Running;

/// <summary>Reads what fio reports (<c>--output-format=json+</c>, fio 3.x): one grouped job, its reads and its writes.</summary>
internal static class FioOutput
{
    private const double NanosPerMicro = 1000;

    /// <summary>Turns a report into a measurement.</summary>
    /// <param name="json">fio's output; a warning may stand before the JSON.</param>
    /// <exception cref="InvalidDataException">It is no report, or the job failed; the message says why.</exception>
    public static TrialMeasurement Parse(string json)
    {
        int start = json.IndexOf('{', StringComparison.Ordinal);
        if (start < 0)
        {
            throw new InvalidDataException($"fio wrote no report: {FirstLine(json)}");
        }

        try
        {
            using var document = JsonDocument.Parse(json.AsMemory(start));
            return ReadJob(document.RootElement.GetProperty("jobs")[0]);
        }
        catch (Exception exception) when (exception is JsonException or KeyNotFoundException or IndexOutOfRangeException or InvalidOperationException)
        {
            throw new InvalidDataException($"fio's report is not of the form known: {exception.Message}", exception);
        }
    }

    private static TrialMeasurement ReadJob(JsonElement job)
    {
        if (job.GetProperty("error").GetInt32() is int error and not 0)
        {
            throw new InvalidDataException($"fio's job failed with errno {error} ({(Mono.Unix.Native.Errno)error})");
        }

        JsonElement reads = job.GetProperty("read");
        JsonElement writes = job.GetProperty("write");
        var latency = new LatencyHistogram();
        AddLatency(latency, reads);
        AddLatency(latency, writes);
        if (latency.Count == 0)
        {
            throw new InvalidDataException("fio completed no operation");
        }

        return new TrialMeasurement
        {
            ThroughputBytesPerSecond = Number(reads, "bw_bytes") + Number(writes, "bw_bytes"),
            Iops = Number(reads, "iops") + Number(writes, "iops"),
            LatencyMicrosMean = MeanNanos(reads, writes) / NanosPerMicro,
            LatencyMicrosP50 = latency.PercentileNanos(50) / NanosPerMicro,
            LatencyMicrosP95 = latency.PercentileNanos(95) / NanosPerMicro,
            LatencyMicrosP99 = latency.PercentileNanos(99) / NanosPerMicro,
            LatencyMicrosP999 = latency.PercentileNanos(99.9) / NanosPerMicro,
            LatencyMicrosMax = Math.Max(Clat(reads, "max"), Clat(writes, "max")) / NanosPerMicro,
            AppCpuUserPercent = Number(job, "usr_cpu"),
            AppCpuSystemPercent = Number(job, "sys_cpu"),
            ReadBytes = (long)Number(reads, "io_bytes"),
            WriteBytes = (long)Number(writes, "io_bytes"),
            RuntimeSeconds = Math.Max(Number(reads, "runtime"), Number(writes, "runtime")) / 1000,
        };
    }

    private static double MeanNanos(JsonElement reads, JsonElement writes)
    {
        double readCount = Clat(reads, "N");
        double writeCount = Clat(writes, "N");
        return ((Clat(reads, "mean") * readCount) + (Clat(writes, "mean") * writeCount)) / Math.Max(1, readCount + writeCount);
    }

    /// <summary>json+ lists every bin of fio's own histogram: a latency in nanoseconds and how often it was seen.</summary>
    private static void AddLatency(LatencyHistogram histogram, JsonElement direction)
    {
        if (direction.GetProperty("clat_ns").TryGetProperty("bins", out JsonElement bins))
        {
            foreach (JsonProperty bin in bins.EnumerateObject())
            {
                histogram.Record(Math.Max(1, long.Parse(bin.Name, CultureInfo.InvariantCulture)), bin.Value.GetInt64());
            }
        }
    }

    private static double Clat(JsonElement direction, string field) => Number(direction.GetProperty("clat_ns"), field);

    private static double Number(JsonElement element, string field) => element.GetProperty(field).GetDouble();

    private static string FirstLine(string text) => text.Trim() is { Length: > 0 } some ? some.Split('\n')[0] : "it wrote nothing";
}
