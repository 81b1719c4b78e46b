using System.Globalization;
using CsvHelper;

namespace Harness.Results.Records;

/// <summary>
/// The text of results.csv: one row per trial and one column per variable (Wickham, Tidy Data, Journal of Statistical Software 59, 2014),
/// units last in the column names, an empty cell for what does not apply. pandas and R load it without options. Quoting is RFC 4180.
/// </summary>
internal static class ResultsCsv
{
    private const string FactorPrefix = "factor_";

    private static readonly CsvWriterOptions Writing = new() { NewLine = "\n" };

    private static readonly CsvReaderOptions Reading = new()
    {
        Separator = ',',
        TrackLineNumbers = true,
        MalformedData = CsvMalformedDataHandling.Throw,
        FieldCountMismatch = CsvFieldCountHandling.Throw,
    };

    /// <summary>The columns before the factors: what was tried.</summary>
    private static readonly (string Name, Func<TrialRecord, string?> Cell)[] Identity =
    [
        ("experiment", t => t.Experiment),
        ("workload", t => t.Workload),
        ("configuration", t => t.Configuration),
        ("is_baseline", t => t.IsBaseline ? "true" : "false"),
        ("block", t => Text(t.Block)),
        ("order_in_block", t => Text(t.OrderInBlock)),
        ("started_at_utc", t => t.StartedAtUtc.UtcDateTime.ToString("O", CultureInfo.InvariantCulture)),
        ("world", t => t.World),
    ];

    /// <summary>The columns after the factors: what was measured.</summary>
    private static readonly (string Name, Func<TrialRecord, string?> Cell)[] Measured =
    [
        ("throughput_bytes_per_s", t => Text(t.Measured?.ThroughputBytesPerSecond)),
        ("iops", t => Text(t.Measured?.Iops)),
        ("latency_mean_us", t => Text(t.Measured?.LatencyMicrosMean)),
        ("latency_p50_us", t => Text(t.Measured?.LatencyMicrosP50)),
        ("latency_p95_us", t => Text(t.Measured?.LatencyMicrosP95)),
        ("latency_p99_us", t => Text(t.Measured?.LatencyMicrosP99)),
        ("latency_p99_9_us", t => Text(t.Measured?.LatencyMicrosP999)),
        ("latency_max_us", t => Text(t.Measured?.LatencyMicrosMax)),
        ("cpu_daemon_user_percent", t => Text(t.Measured?.DaemonCpuUserPercent)),
        ("cpu_daemon_system_percent", t => Text(t.Measured?.DaemonCpuSystemPercent)),
        ("cpu_app_user_percent", t => Text(t.Measured?.AppCpuUserPercent)),
        ("cpu_app_system_percent", t => Text(t.Measured?.AppCpuSystemPercent)),
        ("read_bytes", t => Text(t.Measured?.ReadBytes)),
        ("write_bytes", t => Text(t.Measured?.WriteBytes)),
        ("runtime_s", t => Text(t.Measured?.RuntimeSeconds)),
        ("error", t => t.Error),
    ];

    /// <summary>The header row, newline included.</summary>
    public static byte[] Header(IReadOnlyList<string> factorNames) =>
        Line([.. Identity.Select(c => c.Name), .. factorNames.Select(f => FactorPrefix + f), .. Measured.Select(c => c.Name)]);

    /// <summary>A trial's row, newline included. Its factors must be among <paramref name="factorNames"/>.</summary>
    public static byte[] Row(TrialRecord trial, IReadOnlyList<string> factorNames)
    {
        Dictionary<string, string> values = trial.Factors.ToDictionary(f => f.Name, f => f.Value);
        string? stranger = values.Keys.FirstOrDefault(name => !factorNames.Contains(name));
        if (stranger is not null)
        {
            throw new ArgumentException(
                $"the trial has a factor '{stranger}' but results.csv was opened for {string.Join(", ", factorNames)}", nameof(trial));
        }
        return Line(
        [
            .. Identity.Select(c => c.Cell(trial)),
            .. factorNames.Select(values.GetValueOrDefault),
            .. Measured.Select(c => c.Cell(trial)),
        ]);
    }

    /// <summary>
    /// How much of a file consists of whole rows. A row ends with a newline outside quotes, and that newline is its last byte, so a row
    /// torn by a crash never ends so: what follows the last such newline was torn.
    /// </summary>
    public static int WholeRowsLength(ReadOnlySpan<byte> file)
    {
        bool quoted = false;
        int end = 0;
        for (int i = 0; i < file.Length; i++)
        {
            quoted ^= file[i] == (byte)'"';
            if (file[i] == (byte)'\n' && !quoted)
            {
                end = i + 1;
            }
        }
        return end;
    }

    /// <summary>Reads whole rows, header first. Columns are found by name, so their order does not matter and others are ignored.</summary>
    /// <exception cref="InvalidDataException">A column is missing or a cell does not read; the message says where.</exception>
    public static (IReadOnlyList<string> FactorNames, IReadOnlyList<TrialRecord> Trials) Parse(ReadOnlyMemory<byte> wholeRows, string path)
    {
        using CsvReader csv = CsvReader.Create(wholeRows, Reading);
        string[] header = [.. csv.Headers];
        if (header.Length == 0)
        {
            return ([], []);
        }
        string? missing = Identity.Concat(Measured).Select(c => c.Name).FirstOrDefault(name => !header.Contains(name));
        if (missing is not null)
        {
            throw new InvalidDataException($"{path}: there is no column '{missing}'; this is no results.csv of this version");
        }
        string[] factorNames = [.. header.Where(name => name.StartsWith(FactorPrefix)).Select(name => name[FactorPrefix.Length..])];
        var trials = new List<TrialRecord>();
        var row = new ResultsRow(csv, path);
        while (row.Next())
        {
            trials.Add(row.Trial([.. factorNames.Select(name => (name, row.Optional(FactorPrefix + name)))]));
        }
        return (factorNames, trials);
    }

    private static byte[] Line(string?[] cells)
    {
        using var bytes = new MemoryStream();
        using (CsvWriter csv = CsvWriter.Create(bytes, Writing, leaveOpen: true))
        {
            csv.WriteRecord(cells);
        }
        return bytes.ToArray();
    }

    private static string? Text<T>(T? value) where T : struct, IFormattable => value?.ToString(null, CultureInfo.InvariantCulture);

    private static string? Text<T>(T value) where T : struct, IFormattable => value.ToString(null, CultureInfo.InvariantCulture);
}
