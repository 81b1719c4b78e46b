using Harness.Experiments.Backends.Memory;
using Harness.Experiments.Backends.Null;
using Harness.Experiments.Conformance;
using Harness.Experiments.Mounting;
using Harness.Experiments.Plan;
using Harness.Experiments.Plan.Workloads;
using Harness.FuseProtocol;
using Harness.Results;
using Harness.Results.Records;
using Harness.Simulation.MachineFiles;
using Harness.Simulation.Machines;
using Harness.Simulation.Scheduling;
using Harness.Transport;
using Harness.Transport.Simulated;
using Mono.Unix.Native;

namespace Harness.Experiments.Simulated;

/// <summary>A trial in virtual time: a machine, a mount on it, and simulated applications in the place of fio.</summary>
internal static class SimulatedTrial
{
    /// <summary>The longest measured time: virtual time has no noise that more of it would average out.</summary>
    public static readonly TimeSpan RuntimeMax = TimeSpan.FromMilliseconds(200);

    private static readonly TimeSpan s_rampMax = TimeSpan.FromMilliseconds(50);

    private const double NanosPerSecond = 1e9;
    private const double NanosPerMicro = 1e3;
    private const double Percent = 100;

    /// <summary>What of an experiment's configuration or workload is not modelled, as a sentence; null if all is.</summary>
    public static string? Unmodelled(Backend backend, KnobSettings knobs, Workload workload) =>
        backend.Name is Backend.Passthrough or Backend.Cluster
            ? $"the backend {backend.Name} is not modelled by the simulated kernel; choose null or memory, or world: real"
            : SimulatedWorld.Unmodelled(knobs) ?? SimulatedJob.Unmodelled(workload);

    /// <summary>Runs a trial; the same seed gives the same measurement, on any computer.</summary>
    /// <param name="machineName">A machine file.</param>
    /// <param name="backend">What is served.</param>
    /// <param name="knobs">The mount's knobs.</param>
    /// <param name="workload">What runs on it.</param>
    /// <param name="seed">Of everything that is drawn.</param>
    /// <exception cref="InvalidDataException">An application got an error.</exception>
    public static TrialMeasurement Run(string machineName, Backend backend, KnobSettings knobs, Workload workload, ulong seed) =>
        Run(machineName, backend, knobs, workload, seed, out _);

    /// <inheritdoc cref="Run(string, Backend, KnobSettings, Workload, ulong)"/>
    /// <param name="machineName">A machine file.</param>
    /// <param name="backend">What is served.</param>
    /// <param name="knobs">The mount's knobs.</param>
    /// <param name="workload">What runs on it.</param>
    /// <param name="seed">Of everything that is drawn.</param>
    /// <param name="traceHash">Equal for equal runs.</param>
    public static TrialMeasurement Run(
        string machineName, Backend backend, KnobSettings knobs, Workload workload, ulong seed, out ulong traceHash) =>
        Run(MachineFile.Load(machineName), backend, knobs, workload, seed, out traceHash);

    /// <inheritdoc cref="Run(string, Backend, KnobSettings, Workload, ulong, out ulong)"/>
    public static TrialMeasurement Run(
        MachineDescription description, Backend backend, KnobSettings knobs, Workload workload, ulong seed, out ulong traceHash)
    {
        if (Unmodelled(backend, knobs, workload) is string refusal)
        {
            throw new FuseTransportException(refusal);
        }

        var scheduler = new SimScheduler(new SimSchedulerOptions { Seed = seed });
        var machine = new Simulation.Machines.Machine(scheduler, description);
        var spec = new MountSpec { Backend = backend, MountPoint = "/", Knobs = SimulatedWorld.Settled(knobs) };
        IFileSystem fileSystem = backend.Name == Backend.Null
            ? new NullFileSystem(spec.Options, scheduler.Main.Time)
            : new MemoryFileSystem(new MemoryOptions { Backend = spec.Options }, scheduler.Main.Time);
        var session = new FuseSession(fileSystem, spec.Session);
        using var mount = new SimulatedMount(machine, SimulatedWorld.Options(spec), SimulatedWorld.Handler(session, spec, scheduler, machine));
        Mount(scheduler, machine, mount);
        SimulatedJob job = SimulatedJob.Of(workload);
        SimulatedApplication.Window window = WindowOf(workload, scheduler.NowNanoseconds);
        var costs = ApplicationCosts.Of(machine.Description);
        var applications = new List<SimulatedApplication>();
        var threads = new List<SimThread>();
        for (int i = 0; i < job.Jobs; i++)
        {
            var application = new SimulatedApplication(job, mount.Calls, scheduler.Random.Split("job", i), window, costs);
            string file = backend.HasFixedFiles ? $"zero.{i % Backend.NullFiles}" : $"job.{i}";
            uint pid = (uint)(1000 + i);
            SimThread started = machine.StartThread(
                $"job {i}", thread => application.Run(new KernelTask(thread, pid), file, makesFile: !backend.HasFixedFiles), group: new AutoGroup());
            started.ColdNanoseconds = costs.Cold;
            threads.Add(started);
            applications.Add(application);
        }

        scheduler.RunUntil(() => applications.TrueForAll(application => application.IsDone), "the end of all jobs");
        traceHash = scheduler.TraceHash;
        (fileSystem as IDisposable)?.Dispose();
        return Measure(applications, threads, machine, window);
    }

    private static void Mount(SimScheduler scheduler, Simulation.Machines.Machine machine, SimulatedMount mount)
    {
        Errno? mounted = null;
        machine.StartThread("mount", async thread => mounted = await mount.Start(new KernelTask(thread)));
        scheduler.RunUntil(() => mounted is not null, "INIT");
        if (mounted != Errnos.Ok)
        {
            throw new InvalidDataException($"the simulated mount failed: {mounted}");
        }
    }

    private static SimulatedApplication.Window WindowOf(Workload workload, long now)
    {
        TimeSpan runtime = workload.Timing is { } timing && timing.Runtime < RuntimeMax ? timing.Runtime : RuntimeMax;
        TimeSpan ramp = workload.Timing is { } ramped && ramped.RampTime < s_rampMax ? ramped.RampTime : s_rampMax;
        long start = now + (long)ramp.TotalNanoseconds;
        return new SimulatedApplication.Window(start, start + (long)runtime.TotalNanoseconds);
    }

    private static TrialMeasurement Measure(
        List<SimulatedApplication> applications, List<SimThread> threads, Simulation.Machines.Machine machine, SimulatedApplication.Window window)
    {
        double now = machine.Scheduler.NowNanoseconds;
        var latency = new LatencyHistogram();
        applications.ForEach(application => latency.Merge(application.Latency));
        long read = applications.Sum(application => application.ReadBytes);
        long written = applications.Sum(application => application.WriteBytes);
        double seconds = (window.End - window.Start) / NanosPerSecond;
        return new TrialMeasurement
        {
            ThroughputBytesPerSecond = (read + written) / seconds,
            Iops = latency.Count / seconds,
            LatencyMicrosMean = latency.MeanNanos / NanosPerMicro,
            LatencyMicrosP50 = latency.PercentileNanos(50) / NanosPerMicro,
            LatencyMicrosP95 = latency.PercentileNanos(95) / NanosPerMicro,
            LatencyMicrosP99 = latency.PercentileNanos(99) / NanosPerMicro,
            LatencyMicrosP999 = latency.PercentileNanos(99.9) / NanosPerMicro,
            LatencyMicrosMax = latency.SlowestNanos / NanosPerMicro,
            // As fio counts: of one job, on the average.
            AppCpuSystemPercent = threads.Average(Busy) / now * Percent,
            DaemonCpuSystemPercent = machine.Threads.Except(threads).Sum(Busy) / now * Percent,
            ReadBytes = read,
            WriteBytes = written,
            RuntimeSeconds = seconds,
        };
    }

    private static double Busy(SimThread thread) => thread.WorkNanoseconds + thread.SpinNanoseconds;
}
