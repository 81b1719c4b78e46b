using Harness.Experiments.Backends;
using Harness.Experiments.Backends.Memory;
using Harness.Experiments.Mounting;
using Harness.Experiments.Plan;
using Harness.FuseProtocol;
using Harness.Simulation.MachineFiles;
using Harness.Simulation.Machines;
using Harness.Simulation.Scheduling;
using Harness.Transport.Simulated;
using Harness.Transport.Simulated.Files;

namespace Harness.Experiments.Conformance;

/// <summary>Runs scripts on the simulated kernel.</summary>
internal static class SimulatedWorld
{
    private const long NanosPerMillisecond = 1_000_000;
    private const string MachineName = "1x8";

    // Enough for what takes no reply, such as FORGET, to reach the daemon.
    private const long SettleNanos = NanosPerMillisecond;

    private static readonly Knob[] s_unmodelled = [Knobs.CacheDir, Knobs.KernelPassthrough, Knobs.RequestTimeout];

    private static readonly Lazy<MachineDescription> s_machine = new(() => MachineFile.Load(MachineName));

    /// <summary>Which of a mount's knobs the simulated kernel does not have, as a sentence; null if it has all.</summary>
    public static string? Unmodelled(KnobSettings knobs)
    {
        foreach (Knob knob in s_unmodelled)
        {
            if (knobs.Has(knob) && knobs[knob].Number != 0)
            {
                return $"{knob}={knobs[knob]} is not modelled by the simulated kernel";
            }
        }

        return null;
    }

    /// <summary>Runs a script; each step is over when no request is left.</summary>
    /// <param name="script">What to run.</param>
    /// <param name="prepare">Called with the mount before its first request, by tests.</param>
    /// <exception cref="NotSupportedException">The script asks for what is not modelled.</exception>
    public static IReadOnlyList<StepRecord> Run(Script script, Action<SimulatedMount>? prepare = null)
    {
        var scheduler = new SimScheduler();
        var machine = new Simulation.Machines.Machine(scheduler, s_machine.Value);
        var spec = new MountSpec { Backend = new Backend(Backend.Memory, null), MountPoint = "/", Knobs = Settled(script.Knobs) };
        using var fileSystem = new MemoryFileSystem(new MemoryOptions { Backend = spec.Options }, scheduler.Main.Time);
        var recorder = new MessageRecorder();
        var session = new FuseSession(fileSystem, spec.Session, recorder);
        using var mount = new SimulatedMount(machine, Options(spec), recorder.CountBefore(Handler(session, spec, scheduler, machine)));
        prepare?.Invoke(mount);
        var files = new FileTable();
        Run(scheduler, machine, mount, files, async task => await mount.Start(task) is var error and not Errnos.Ok ? $"{error}" : "0");
        recorder.Take();
        var application = new SimulatedApplication(mount.Calls);
        var records = new List<StepRecord>();
        for (int i = 0; i < script.Steps.Count; i++)
        {
            ScriptStep step = script.Steps[i];
            int number = i;
            string outcome = "0";
            if (step.Name == "sleep")
            {
                scheduler.RunUntil(scheduler.NowNanoseconds + (step[0] * NanosPerMillisecond));
            }
            else
            {
                outcome = Run(scheduler, machine, mount, files, task => application.Run(task, step, number));
            }

            (IReadOnlyList<ObservedMessage> messages, int inFlight) = recorder.Take();
            records.Add(new StepRecord(outcome, messages, inFlight));
        }

        return records;
    }

    /// <summary>Knobs whose channel does not depend on what this machine happens to offer.</summary>
    public static KnobSettings Settled(KnobSettings knobs) =>
        knobs[Knobs.Channel].Text == Knobs.Auto ? knobs.With(Knobs.Channel, Knobs.Channel.Kind.Parse(Knobs.DevFuse)) : knobs;

    /// <summary>A mount's knobs as the simulated kernel takes them.</summary>
    public static SimulatedMountOptions Options(MountSpec spec) => new()
    {
        QueueDesign = spec.Channel,
        Threads = spec.Threads,
        QueueDepth = spec.QueueDepth,
        Affinity = spec.Affinity,
        // Left out it is 0, so that what a plan shows of queues and wake-ups is not what spinning hides of them.
        Spin = spec.Knobs.Has(Knobs.Spin) ? spec.Spin : TimeSpan.Zero,
        ReadaheadBytes = spec.MaxReadahead,
        Kernel = new KernelOptions { MaxPagesLimit = Math.Max(256, Knobs.MaxPages(spec.Knobs)) },
    };

    /// <summary>What stands before the session: a latency, where one is asked for.</summary>
    public static IRequestHandler Handler(FuseSession session, MountSpec spec, SimScheduler scheduler, Simulation.Machines.Machine machine)
    {
        if (spec.Latency == TimeSpan.Zero)
        {
            return session;
        }

        SimLoop loop = scheduler.StartProcess("daemon").StartLoop("latency");
        machine.StartLoop(loop);
        return new LatencyHandler(session, loop, spec.Latency);
    }

    private static string Run(
        SimScheduler scheduler, Simulation.Machines.Machine machine, SimulatedMount mount, FileTable files, Func<KernelTask, ValueTask<string>> step)
    {
        string? outcome = null;
        machine.StartThread("script", async thread => outcome = await step(new KernelTask(thread, files: files)));
        scheduler.RunUntil(() => outcome is not null && mount.Waiting == 0, "the end of the step");
        scheduler.RunUntil(scheduler.NowNanoseconds + SettleNanos);
        return outcome!;
    }
}
