using System.Diagnostics;
using Harness.Experiments.Running;
using Harness.Results.Records;
using Harness.Runtime;

namespace Harness.Experiments.Calibration;

/// <summary>What fio itself takes for an operation: it runs on a file in shared memory, and what the same system calls take is taken off.</summary>
/// <param name="sampler">Repeats what is no program of its own.</param>
/// <param name="cpu">Where it runs.</param>
/// <param name="cancellationToken">Gives up between two runs.</param>
internal sealed class ApplicationBenchmarks(Sampler sampler, int cpu, CancellationToken cancellationToken)
{
    private const double NanosPerSecond = 1e9;
    private const string SharedMemory = "/dev/shm";
    private const int MessageBytes = 4096;
    private const int EchoRounds = 2_000;

    /// <summary>One operation of an engine.</summary>
    /// <param name="engine">fio's name for it.</param>
    /// <param name="calls">What the operation's system calls take.</param>
    public Figure Operation(string engine, Figure calls)
    {
        double[] nanos = [.. Enumerable.Range(0, Sampler.BatchesMin).Select(_ => Run(engine))];
        return Figure.Median(nanos, "").Less(
            $"measured here: fio, {engine}, 4 KiB random reads of a file in shared memory, less the same calls made by a bare loop", calls);
    }

    /// <summary>
    /// What fio takes longer for an operation during which another process has run on its CPU: it sends a message to an echo on the same CPU and
    /// waits for it to come back, as does a bare loop.
    /// </summary>
    /// <param name="warm">What an operation takes of fio's own otherwise.</param>
    public Figure Cold(Figure warm)
    {
        // One after the other each time, so that what the machine is like at the moment is in both.
        return sampler.Settle(each =>
        {
            double fio = RunWithEcho();
            using var echo = new EchoServer(cpu, MessageBytes);
            using var bare = new EchoClient(echo.Port, MessageBytes);
            Figure loop = each.Each(cpu, EchoRounds, bare.Round, "");
            return new Figure(fio, fio, fio, "").Less("measured here: fio's net engine, 4 KiB to an echo on the same CPU and back, less the same by a "
                + "bare loop and less what fio takes when nobody else runs, the median of such differences", loop, warm);
        });
    }

    private double RunWithEcho()
    {
        using var echo = new EchoServer(cpu, MessageBytes);
        return Run([
            "--ioengine=net", "--protocol=tcp", "--hostname=127.0.0.1", $"--port={echo.Port}", "--nodelay=1", "--pingpong=1", "--rw=write", "--size=1G",
        ]);
    }

    private double Run(string engine)
    {
        string file = Path.Combine(SharedMemory, $"harness-calibrate-fio-{Environment.ProcessId}");
        try
        {
            return Run([$"--filename={file}", "--size=16M", "--rw=randread", $"--ioengine={engine}", "--iodepth=32", "--norandommap=1"]);
        }
        finally
        {
            File.Delete(file);
        }
    }

    private double Run(string[] arguments)
    {
        cancellationToken.ThrowIfCancellationRequested();
        string directory = Directory.CreateTempSubdirectory("harness-calibrate-").FullName;
        try
        {
            string report = Path.Combine(directory, "fio.json");
            using Process fio = FioProgram.Start(
                [
                    "--name=calibrate", "--bs=4k", .. arguments,
                    "--time_based=1", "--ramp_time=100ms", "--runtime=300ms", "--output-format=json+", $"--output={report}",
                ],
                directory,
                new CpuSet([cpu]));
            fio.WaitForExit();
            // Ctrl-C ends fio, too, perhaps before it has anything to report.
            cancellationToken.ThrowIfCancellationRequested();
            TrialMeasurement measured = FioOutput.Parse(File.ReadAllText(report));
            return NanosPerSecond / measured.Iops;
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }
}
