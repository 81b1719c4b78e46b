using System.Diagnostics;
using Harness.Experiments.Running;
using Harness.Results.Records;
using Harness.Runtime;

namespace Harness.Experiments.Calibration;

/// <summary>What fio itself takes for an operation: it runs on a file in shared memory, and what the same system calls take is taken off.</summary>
/// <param name="cpu">Where it runs.</param>
/// <param name="cancellationToken">Gives up between two runs.</param>
internal sealed class ApplicationBenchmarks(int cpu, CancellationToken cancellationToken)
{
    private const double NanosPerSecond = 1e9;
    private const string SharedMemory = "/dev/shm";

    /// <summary>One operation of an engine.</summary>
    /// <param name="engine">fio's name for it.</param>
    /// <param name="calls">What the operation's system calls take.</param>
    public Figure Operation(string engine, Figure calls)
    {
        double[] nanos = [.. Enumerable.Range(0, Sampler.BatchesMin).Select(_ => Run(engine))];
        return Figure.Median(nanos, "").Less(
            $"measured here: fio, {engine}, 4 KiB random reads of a file in shared memory, less the same calls made by a bare loop", calls);
    }

    private double Run(string engine)
    {
        cancellationToken.ThrowIfCancellationRequested();
        string directory = Directory.CreateTempSubdirectory("harness-calibrate-").FullName;
        string file = Path.Combine(SharedMemory, $"harness-calibrate-fio-{Environment.ProcessId}");
        try
        {
            string report = Path.Combine(directory, "fio.json");
            using Process fio = FioProgram.Start(
                [
                    "--name=calibrate", $"--filename={file}", "--size=16M", "--rw=randread", "--bs=4k", $"--ioengine={engine}", "--iodepth=32",
                    "--norandommap=1", "--time_based=1", "--ramp_time=100ms", "--runtime=300ms", "--output-format=json+", $"--output={report}",
                ],
                directory,
                new CpuSet([cpu]));
            fio.WaitForExit();
            TrialMeasurement measured = FioOutput.Parse(File.ReadAllText(report));
            return NanosPerSecond / measured.Iops;
        }
        finally
        {
            File.Delete(file);
            Directory.Delete(directory, recursive: true);
        }
    }
}
