using System.Diagnostics;
using System.Globalization;
using Harness.Experiments.Backends.Null;
using Harness.Experiments.Conformance;
using Harness.Experiments.Machine;
using Harness.Experiments.Mounting;
using Harness.Experiments.Plan;
using Harness.Experiments.Running;
using Harness.FuseProtocol;
using Harness.Runtime.Native;
using Harness.Simulation.Machines;
using Harness.Simulation.Scheduling;
using Harness.Transport;
using Harness.Transport.Simulated;
using Harness.Transport.Simulated.Files;
using Microsoft.Win32.SafeHandles;

namespace Harness.Experiments.Calibration;

/// <summary>
/// The one thing of FUSE that a calibration measures: GETATTR on one channel with one thread, application and daemon on one CPU, and how much
/// CPU time each of the two has of it. What that is beyond what the model says of its parts is the kernel's work for a request.
/// </summary>
internal static class GetattrBenchmark
{
    private const int Calls = 2_000;
    private const string FileName = "zero.0";
    private static readonly TimeSpan s_warmUp = TimeSpan.FromSeconds(1);

    private static readonly KnobSettings s_knobs = Settings(
        (Knobs.Channel, Knobs.DevFuse), (Knobs.Threads, "1"), (Knobs.Affinity, "cpu"), (Knobs.Spin, "0us"), (Knobs.AttrTimeout, "0s"),
        (Knobs.EntryTimeout, "3600s"));

    /// <summary>Measures it on a real mount: the CPU time of the calling thread and of the daemon, each with the switch to it.</summary>
    /// <exception cref="FuseTransportException">This machine cannot mount, or the daemon has ended in between.</exception>
    /// <exception cref="OperationCanceledException">It was interrupted; nothing stays mounted.</exception>
    /// <remarks>The daemon is a process of its own, as in what is predicted, so that switching to it changes the address space.</remarks>
    public static async Task<(Figure Application, Figure Daemon)> Measure(Sampler sampler, int cpu, CancellationToken cancellationToken)
    {
        string directory = Directory.CreateTempSubdirectory("harness-calibrate-").FullName;
        DaemonProcess? daemon = null;
        try
        {
            string[] arguments = ["--backend", Backend.Null, .. s_knobs.MountArguments()];
            daemon = await DaemonProcess.StartHarness(DaemonProcess.HarnessMount(arguments, directory), directory, cancellationToken).ConfigureAwait(false);
            using (SafeFileHandle file = File.OpenHandle(Path.Combine(directory, FileName)))
            using (var memory = new NativeBuffer(SessionOptions.PageSize))
            {
                int descriptor = (int)file.DangerousGetHandle();
                // The daemon compiles its code while it runs.
                long warm = Stopwatch.GetTimestamp();
                while (Stopwatch.GetElapsedTime(warm) < s_warmUp)
                {
                    Fstat(descriptor, memory);
                }

                var daemons = new List<double>();
                Figure application = sampler.Batch(cpu, () =>
                {
                    (long caller, long server) = (SchedStat.RunTimeNanos(), daemon.RunTimeNanos);
                    for (int i = 0; i < Calls; i++)
                    {
                        Fstat(descriptor, memory);
                    }

                    daemons.Add((daemon.RunTimeNanos - server) / (double)Calls);
                    return (SchedStat.RunTimeNanos() - caller) / (double)Calls;
                }, "");
                // As with the other figure, the first batch does not count.
                return (application, Figure.Median([.. daemons.Skip(1)], ""));
            }
        }
        catch (Exception exception) when (exception is FuseTransportException or IOException)
        {
            // Ctrl-C ends the daemon, too, and perhaps first.
            cancellationToken.ThrowIfCancellationRequested();
            throw new FuseTransportException($"GETATTR could not be measured: {exception.Message}", exception);
        }
        finally
        {
            if (daemon is not null)
            {
                await daemon.DisposeAsync().ConfigureAwait(false);
            }

            Directory.Delete(directory);
        }
    }

    /// <summary>What the model says that each of the two takes on a machine.</summary>
    public static (double Application, double Daemon) Simulate(MachineDescription description)
    {
        var scheduler = new SimScheduler();
        var machine = new Simulation.Machines.Machine(scheduler, description);
        MountSpec spec = Spec("/");
        var session = new FuseSession(new NullFileSystem(spec.Options, scheduler.Main.Time), spec.Session);
        using var mount = new SimulatedMount(machine, SimulatedWorld.Options(spec), session);
        (double Application, double Daemon)? took = null;
        machine.StartThread("application", async thread =>
        {
            var task = new KernelTask(thread);
            await mount.Start(task);
            const uint mode = 0;
            int file = (int)(await mount.Calls.Open(task, FileName, OpenFileFlags.ReadOnly, mode)).Value;
            (long start, long worked, long switches) = (scheduler.NowNanoseconds, thread.WorkNanoseconds, thread.Cpu.SwitchNanoseconds);
            for (int i = 0; i < Calls; i++)
            {
                await mount.Calls.Fstat(task, file);
            }

            // Every second switch is to the application; whoever does not run, the other does.
            double application = thread.WorkNanoseconds - worked + ((thread.Cpu.SwitchNanoseconds - switches) / 2.0);
            took = (application / Calls, (scheduler.NowNanoseconds - start - application) / Calls);
        }, Simulation.Machines.CpuSet.Of(0));
        scheduler.RunUntil(() => took is not null, "the end of all calls");
        return took!.Value;
    }

    private static void Fstat(int descriptor, NativeBuffer memory)
    {
        if (Libc.Syscall(SystemCall.Fstat, descriptor, memory.Address, 0, 0, 0, 0) != 0)
        {
            throw new FuseTransportException($"fstat of a mounted file failed with {Libc.LastErrno}.");
        }
    }

    private static MountSpec Spec(string mountPoint) =>
        new() { Backend = new Backend(Backend.Null, null), MountPoint = mountPoint, Knobs = s_knobs };

    private static KnobSettings Settings(params (Knob Knob, string Value)[] pairs) => pairs.Aggregate(
        KnobSettings.None, (settings, pair) => settings.With(pair.Knob, pair.Knob.Kind.Parse(string.Create(CultureInfo.InvariantCulture, $"{pair.Value}"))));
}
