using Harness.Runtime.Native;

namespace Harness.Experiments.Running;

/// <summary>Where a run leaves everything: <c>runs/TIME-NAME/</c>, with <c>runs/latest</c> pointing to it.</summary>
internal sealed class RunDirectory
{
    private RunDirectory(string path)
    {
        Root = path;
        Directory.CreateDirectory(FioPath);
    }

    /// <summary>The directory.</summary>
    public string Root { get; }

    /// <summary>One row per trial.</summary>
    public string ResultsCsv => Path.Combine(Root, "results.csv");

    /// <summary>
    /// A line for each simulated trial, in order of their ends: experiment, workload, configuration, block, seed, and the hash of all its
    /// events, which is the same whenever and wherever the same program runs the same trial.
    /// </summary>
    public string TracesCsv => Path.Combine(Root, "traces.csv");

    /// <summary>What the run ran on.</summary>
    public string EnvironmentJson => Path.Combine(Root, "environment.json");

    /// <summary>The plan, as it was read.</summary>
    public string PlanYaml => Path.Combine(Root, "experiments.yaml");

    /// <summary>Options that are not in the plan and that a resumed run needs.</summary>
    public string OptionsJson => Path.Combine(Root, "options.json");

    /// <summary>fio's job files and reports.</summary>
    public string FioPath => Path.Combine(Root, "fio");

    /// <summary>Makes a new directory below <paramref name="parent"/>.</summary>
    /// <param name="parent">Such as <c>runs</c>.</param>
    /// <param name="name">What was run.</param>
    /// <param name="now">Local time, which the directory's name begins with.</param>
    public static RunDirectory Create(string parent, string name, DateTimeOffset now)
    {
        string stem = Path.Combine(Path.GetFullPath(parent), $"{now:yyyyMMdd-HHmmss}-{name}");
        string path = stem;
        for (int i = 2; Directory.Exists(path); i++)
        {
            path = $"{stem}-{i}";
        }

        var directory = new RunDirectory(path);
        PointLatest(path);
        return directory;
    }

    /// <summary>Opens the directory of an interrupted run.</summary>
    /// <exception cref="DirectoryNotFoundException">There is none, or it holds no run.</exception>
    public static RunDirectory Open(string path)
    {
        string full = Path.GetFullPath(path);
        return File.Exists(Path.Combine(full, "experiments.yaml")) && File.Exists(Path.Combine(full, "options.json"))
            ? new RunDirectory(Path.TrimEndingDirectorySeparator(full))
            : throw new DirectoryNotFoundException($"{path} holds no run: experiments.yaml and options.json are not both there.");
    }

    /// <summary>Path, without extension, of a trial's job file and report.</summary>
    public string FioStem(string experiment, string workload, string configuration, int block) =>
        Path.Combine(FioPath, $"{experiment}.{workload}.{FileName(configuration)}.{block}");

    private static string FileName(string name) =>
        string.Concat(name.Select(c => char.IsAsciiLetterOrDigit(c) || c is '=' or '-' or '.' ? c : '_'));

    // The link is replaced by a rename, so that it always points somewhere.
    private static void PointLatest(string path)
    {
        string link = Path.Combine(Path.GetDirectoryName(path)!, "latest");
        string fresh = $"{link}.{Environment.ProcessId}";
        File.CreateSymbolicLink(fresh, Path.GetFileName(path));
        // File.Move would look for the link's target.
        if (Libc.Rename(fresh, link) != 0)
        {
            throw new IOException($"{link} could not be made to point to the run: {Libc.LastErrno}.");
        }
    }
}
