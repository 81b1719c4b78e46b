using System.Globalization;
using CsvHelper;

namespace Harness.Results.Records;

/// <summary>Reads the cells of one row of results.csv after another, and says file, line and column when one does not read.</summary>
internal sealed class ResultsRow(CsvReader csv, string path)
{
    /// <summary>Goes to the next row; false at the end.</summary>
    public bool Next()
    {
        try
        {
            return csv.Read();
        }
        catch (CsvFormatException e)
        {
            throw new InvalidDataException($"{path}, line {e.LineNumber}: the row is damaged; delete it to measure its trial again", e);
        }
    }

    /// <summary>The row as a trial.</summary>
    public TrialRecord Trial(IReadOnlyList<(string Name, string? Value)> factors) => new()
    {
        Experiment = Cell("experiment"),
        Workload = Cell("workload"),
        Configuration = Cell("configuration"),
        IsBaseline = Value<bool>("is_baseline", bool.TryParse),
        Factors = [.. factors.Where(f => f.Value is not null).Select(f => new Factor(f.Name, f.Value!))],
        Block = Number<int>("block"),
        OrderInBlock = Number<int>("order_in_block"),
        StartedAtUtc = Value<DateTimeOffset>("started_at_utc", ParseTime),
        World = Cell("world"),
        Measured = Optional("throughput_bytes_per_s") is null ? null : Measurement(),
        Error = Optional("error"),
    };

    /// <summary>A cell's text, null when it is empty.</summary>
    public string? Optional(string column) => Cell(column) is { Length: > 0 } text ? text : null;

    private TrialMeasurement Measurement() => new()
    {
        ThroughputBytesPerSecond = Number<double>("throughput_bytes_per_s"),
        Iops = Number<double>("iops"),
        LatencyMicrosMean = Number<double>("latency_mean_us"),
        LatencyMicrosP50 = Number<double>("latency_p50_us"),
        LatencyMicrosP95 = Number<double>("latency_p95_us"),
        LatencyMicrosP99 = Number<double>("latency_p99_us"),
        LatencyMicrosP999 = Number<double>("latency_p99_9_us"),
        LatencyMicrosMax = Number<double>("latency_max_us"),
        DaemonCpuUserPercent = OptionalNumber("cpu_daemon_user_percent"),
        DaemonCpuSystemPercent = OptionalNumber("cpu_daemon_system_percent"),
        AppCpuUserPercent = OptionalNumber("cpu_app_user_percent"),
        AppCpuSystemPercent = OptionalNumber("cpu_app_system_percent"),
        ReadBytes = Number<long>("read_bytes"),
        WriteBytes = Number<long>("write_bytes"),
        RuntimeSeconds = Number<double>("runtime_s"),
    };

    private delegate bool Parser<T>(string text, out T value);

    private string Cell(string column) => csv.GetString(column);

    private double? OptionalNumber(string column) => Optional(column) is null ? null : Number<double>(column);

    private T Number<T>(string column) where T : IParsable<T> =>
        Value<T>(column, static (string text, out T value) => T.TryParse(text, CultureInfo.InvariantCulture, out value!));

    private T Value<T>(string column, Parser<T> parse) => parse(Cell(column), out T value)
        ? value
        : throw new InvalidDataException(
            $"{path}, line {csv.LineNumber}: column {column} holds '{Cell(column)}', which does not read; "
            + "delete the row to measure its trial again");

    private static bool ParseTime(string text, out DateTimeOffset value) =>
        DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out value);
}
