namespace Harness.Results.Records;

/// <summary>
/// results.csv while a run goes on: rows are appended as trials finish, each with one write and an fsync, so that a kill at any moment
/// costs at most the row being written. Opening a file again drops such a torn row and goes on. One writer at a time; not thread-safe.
/// </summary>
public sealed class ResultsFile : IDisposable
{
    private readonly FileStream stream;
    private readonly IReadOnlyList<string> factorNames;
    private readonly List<TrialRecord> trials;
    private readonly HashSet<TrialKey> measured;

    private ResultsFile(string path, IReadOnlyList<string> factorNames, IReadOnlyList<TrialRecord> trials)
    {
        this.factorNames = factorNames;
        this.trials = [.. trials];
        measured = [.. trials.Where(t => t.Measured is not null).Select(t => t.Key)];
        stream = new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.None, bufferSize: 0);
    }

    /// <summary>All rows, those of earlier sittings first, in the order they were written. Failed trials are among them.</summary>
    public IReadOnlyList<TrialRecord> Trials => trials;

    /// <summary>Creates results.csv, or opens the one of an interrupted run to go on with it.</summary>
    /// <param name="path">The file; its directory must exist.</param>
    /// <param name="factorNames">Each factor of the run, as <see cref="Factor.Name"/>, in the order of the columns. A resumed file keeps
    /// its own columns too.</param>
    /// <exception cref="InvalidDataException">The file is there but is no results.csv; it is left alone.</exception>
    /// <exception cref="IOException">The file cannot be written, or another run writes it.</exception>
    public static ResultsFile Open(string path, IEnumerable<string> factorNames)
    {
        byte[] old = File.Exists(path) ? File.ReadAllBytes(path) : [];
        ReadOnlyMemory<byte> wholeRows = old.AsMemory(0, ResultsCsv.WholeRowsLength(old));
        var (oldNames, trials) = ResultsCsv.Parse(wholeRows, path);
        List<string> names = [.. oldNames.Union(factorNames)];
        bool goesOn = names.Count == oldNames.Count && wholeRows.Length == old.Length && old.Length > 0;
        if (!goesOn)
        {
            WholeFile.Write(path, [.. ResultsCsv.Header(names), .. trials.SelectMany(t => ResultsCsv.Row(t, names))]);
        }
        return new ResultsFile(path, names, trials);
    }

    /// <summary>Reads a results.csv, dropping a last row that a crash tore.</summary>
    /// <exception cref="InvalidDataException">The file is no results.csv, or a row is damaged; the message says where.</exception>
    public static IReadOnlyList<TrialRecord> Read(string path)
    {
        byte[] file = File.ReadAllBytes(path);
        return ResultsCsv.Parse(file.AsMemory(0, ResultsCsv.WholeRowsLength(file)), path).Trials;
    }

    /// <summary>Whether the trial has been measured. One that failed has not, so a resumed run tries it again.</summary>
    public bool IsMeasured(TrialKey key) => measured.Contains(key);

    /// <summary>Adds a trial; it is on the disk when this returns.</summary>
    /// <exception cref="ArgumentException">The trial has a factor that the file was not opened for.</exception>
    /// <exception cref="InvalidOperationException">The trial has already been measured.</exception>
    public void Append(TrialRecord trial)
    {
        if (IsMeasured(trial.Key))
        {
            throw new InvalidOperationException($"{stream.Name} has {trial.Key} already; a trial is measured once");
        }
        stream.Write(ResultsCsv.Row(trial, factorNames));
        stream.Flush(flushToDisk: true);
        trials.Add(trial);
        if (trial.Measured is not null)
        {
            measured.Add(trial.Key);
        }
    }

    /// <summary>Closes the file.</summary>
    public void Dispose() => stream.Dispose();
}
