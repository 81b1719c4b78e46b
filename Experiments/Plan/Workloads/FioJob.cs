using System.Buffers;
using System.Text;
using Harness.Experiments.Plan.Values;

namespace Harness.Experiments.Plan.Workloads;

/// <summary>Writes a workload as a job file that fio runs, and that a researcher can run again by hand.</summary>
internal static class FioJob
{
    // fio cuts a line at ; and #, expands ${...}, and takes : between directories.
    private static readonly SearchValues<char> PathForbidden = SearchValues.Create(";#$:\n\r");

    private static readonly ScalarValue LayoutBlock = FioKeys.Bs.Kind.Parse("1M");

    /// <summary>The job file.</summary>
    /// <param name="workload">What to run.</param>
    /// <param name="backend">What the mount serves, which decides where files come from.</param>
    /// <param name="directory">The mount under test.</param>
    /// <exception cref="ArgumentException">A job file cannot express this directory.</exception>
    public static string Render(Workload workload, Backend backend, string directory)
    {
        if (directory.Length == 0 || directory.AsSpan().IndexOfAny(PathForbidden) >= 0 || directory.Trim() != directory)
        {
            throw new ArgumentException($"fio's job file cannot express the directory '{directory}'", nameof(directory));
        }

        var job = new StringBuilder();
        Line(job, "[global]");
        Line(job, $"directory={directory}");
        Line(job, $"filename_format={(backend.HasFixedFiles ? "zero.$jobnum" : "$jobname.$jobnum.$filenum")}");
        Line(job, "group_reporting=1");
        if (!backend.HasFixedFiles)
        {
            Line(job, "unlink=1");
        }

        if (workload.Timing is { } timing)
        {
            Line(job, "time_based=1");
            Line(job, $"runtime={DurationKind.Format(timing.Runtime)}");
            if (timing.RampTime > TimeSpan.Zero)
            {
                Line(job, $"ramp_time={DurationKind.Format(timing.RampTime)}");
            }
        }

        if (workload.Find(FioKeys.Fallocate) is null)
        {
            RenderFallocate(job, backend);
        }

        Line(job, "");
        Line(job, $"[{workload.Name}]");
        foreach (FioSetting setting in workload.Settings)
        {
            Line(job, $"{setting.Key}={setting.Key.Render(setting.Value)}{LayoutBlockSize(setting, workload, backend)}");
        }

        return job.ToString();
    }

    /// <summary>The arguments of fio, after the program's name.</summary>
    public static IReadOnlyList<string> Arguments(string jobFile, string jsonFile) =>
        ["--output-format=json+", $"--output={jsonFile}", "--eta=never", jobFile];

    // Without this a file that is only written starts empty, and every direct write beyond its end is one that FUSE cannot send
    // asynchronously (fuse_direct_IO in fs/fuse/file.c); the workload would measure growth and not writing.
    private static void RenderFallocate(StringBuilder job, Backend backend) =>
        Line(job, backend.HasFixedFiles ? "fallocate=none" : "fallocate=truncate");

    // fio lays out the files it is to read with the block size of writes: in 4 KiB blocks, 64 MiB are 16,384 requests to wait for.
    // A workload that only reads has no other use for that size.
    private static string LayoutBlockSize(FioSetting setting, Workload workload, Backend backend) =>
        setting.Key == FioKeys.Bs && !workload.Writes && !backend.HasFixedFiles
            && setting.Value.Number < LayoutBlock.Number && !setting.Value.Text.Contains(',')
                ? $",{LayoutBlock}"
                : "";

    private static void Line(StringBuilder job, string line) => job.Append(line).Append('\n');
}
