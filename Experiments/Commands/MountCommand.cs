using System.CommandLine;
using System.Runtime.InteropServices;
using Harness.Experiments.Backends;
using Harness.Experiments.Clusters;
using Harness.Experiments.Keeping;
using Harness.Experiments.Mounting;
using Harness.Experiments.Observing;
using Harness.Experiments.Plan;
using Harness.Experiments.Plan.Values;
using Harness.FuseProtocol;
using Harness.Runtime.Native;
using Harness.Transport.Mounting;

namespace Harness.Experiments.Commands;

/// <summary><c>./harness mount</c>: serves a file system in the foreground until it is unmounted or interrupted.</summary>
internal static class MountCommand
{
    /// <summary>
    /// Ends the mount when standard input ends, which the process that started it holds the other end of: a killed run leaves nothing mounted.
    /// (PR_SET_PDEATHSIG would follow the thread that started it, and a pool's threads come and go.)
    /// </summary>
    public const string ExitWithParent = "--exit-with-parent";

    /// <summary>Makes the mount a session of its own, so that it outlives the terminal and the process that started it.</summary>
    public const string Detached = "--detached";

    /// <summary>The command.</summary>
    public static Command Create()
    {
        var backend = new Option<string>("--backend")
        {
            Description = "What is served: null (zeros without end), memory (a file system in this process's memory), passthrough:DIR, " +
                "cluster:HOST:PORT (a cluster by its metadata servers) or cluster:DIR (a whole cluster in this process, its files in DIR)",
            DefaultValueFactory = _ => Backend.Memory,
        };
        var mds = new Option<string?>("--mds")
        {
            Description = "With --backend cluster: where its metadata servers listen, separated by commas",
            HelpName = "HOST:PORT,…",
        };
        var trace = new Option<string?>("--trace") { Description = "Write a line per message (rx, tx) to this file; - for standard error" };
        var words = new Option<string[]>("-o")
        {
            Description = "Options as mount(8) and mount.fuse3(8) spell them, or any option of this list",
            HelpName = "WORD,…",
        };
        var options = new Option<bool>("--options") { Description = "List all options with unit, default, and what each does to the kernel" };
        var keep = new Option<bool>("--keep")
        {
            Description = "Keep the mount through the death and the replacement of its daemon (channels dev-fuse and clone; backends null and passthrough)",
        };
        var metrics = new Option<string?>("--metrics") { Description = MetricsServer.Description, HelpName = MetricsServer.HelpName };
        var keptBy = new Option<int?>(DaemonChild.KeptBy) { Hidden = true };
        var exitWithParent = new Option<bool>(ExitWithParent) { Hidden = true };
        var detached = new Option<bool>(Detached) { Hidden = true };
        var mountPoint = new Argument<string?>("MOUNTPOINT") { Description = "An existing directory", Arity = ArgumentArity.ZeroOrOne };
        var command = new Command("mount", "Mounts a file system and serves it in the foreground; Ctrl-C unmounts.")
        {
            backend, mds, words, keep, trace, metrics, options, exitWithParent, detached, keptBy, mountPoint,
        };
        var knobs = new KnobOptions(command);
        command.SetAction(parsed =>
        {
            if (parsed.GetValue(options))
            {
                OptionList.Print(Console.Out);
                return ExitCode.Done;
            }

            string path = parsed.GetValue(mountPoint) ?? throw new BadArgumentsException("Name a directory to mount on.");
            MountSpec spec = ReadSpec(Join(parsed.GetValue(backend)!, parsed.GetValue(mds)), knobs.Read(parsed), path, parsed.GetValue(words) ?? []);
            spec = CheckKeeping(spec with { Keep = spec.Keep || parsed.GetValue(keep) });
            int? supervisor = parsed.GetValue(keptBy);
            using TextWriter? traceWriter = OpenTrace(parsed.GetValue(trace), append: supervisor is not null);
            IFuseObserver observer = MountObservers.Create(traceWriter);
            if (supervisor is int socket)
            {
                return KeptDaemon.Serve(spec, observer, socket);
            }

            if (parsed.GetValue(detached))
            {
                _ = Libc.SetSid();
            }

            bool endsWithInput = parsed.GetValue(exitWithParent);
            return spec.Keep
                ? Supervisor.Run(spec, Environment.GetCommandLineArgs()[1..], endsWithInput)
                : Serve(spec, observer, parsed.GetValue(metrics), endsWithInput);
        });
        return command;
    }

    /// <summary>Puts a mount together from what the command line says.</summary>
    /// <exception cref="BadArgumentsException">Something is wrong with it; the message says what is allowed.</exception>
    public static MountSpec ReadSpec(string backend, KnobSettings knobs, string mountPoint, IEnumerable<string> words)
    {
        Backend served = ReadBackend(backend);
        var spec = new MountSpec
        {
            Backend = served,
            Knobs = knobs,
            MountPoint = Path.GetFullPath(mountPoint),
            Kernel = new MountOptions { FsName = served.MountArgument },
        };
        try
        {
            spec = words.Aggregate(spec, MountWords.Apply);
        }
        catch (FormatException exception)
        {
            throw new BadArgumentsException(exception.Message);
        }

        return spec.Session.Validate() is { Count: > 0 } errors ? throw new BadArgumentsException(string.Join(' ', errors)) : spec;
    }

    private static string Join(string backend, string? mds) => mds is null ? backend : backend == Backend.Cluster
        ? $"{backend}:{mds}"
        : throw new BadArgumentsException($"--mds goes with --backend {Backend.Cluster} alone.");

    private static Backend ReadBackend(string text)
    {
        string name = text.Split(':', 2)[0];
        if (!Backend.Names.Contains(name))
        {
            throw new BadArgumentsException(
                $"--backend: there is no {Quoted.Text(name)}{NearestName.Hint(name, Backend.Names)}; allowed: {string.Join(", ", Backend.Names)}.");
        }

        var backend = new Backend(name, text.Contains(':', StringComparison.Ordinal) ? text.Split(':', 2)[1] : null);
        ClusterBackend.Check(backend);
        return backend;
    }

    private static MountSpec CheckKeeping(MountSpec spec)
    {
        if (!spec.Keep)
        {
            return spec;
        }

        if (spec.Channel == Knobs.IoUring)
        {
            throw new BadArgumentsException(
                $"--keep does not go with --channel {Knobs.IoUring}: the kernel does not send again what sits in a ring. Choose dev-fuse or clone.");
        }

        return BackendFactory.CanBeKept(spec.Backend) ? spec : throw new BadArgumentsException(
            $"--keep does not go with --backend {spec.Backend.Name}: what it holds is gone with its process. Choose {Backend.Null} or {Backend.Passthrough}.");
    }

    private static TextWriter? OpenTrace(string? path, bool append)
    {
        try
        {
            return path switch
            {
                null => null,
                "-" => Console.Error,
                _ => new StreamWriter(path, append) { AutoFlush = true },
            };
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new BadArgumentsException($"--trace: {exception.Message}");
        }
    }

    private static int Serve(MountSpec spec, IFuseObserver observer, string? metrics, bool endsWithInput)
    {
        // The mount can be seen before it is served: a signal from then on shall unmount it.
        using var stop = new ManualResetEventSlim();
        int signals = 0;
        MountHost? serving = null;
        void OnSignal(PosixSignalContext context)
        {
            context.Cancel = true;
            if (Interlocked.Increment(ref signals) > 1)
            {
                // Asked twice: whoever still waits for the file system gets an error, and this process ends.
                serving?.Abort();
            }

            stop.Set();
        }

        using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal);
        using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal);
        using MountHost host = MountHost.Start(spec, observer);
        serving = host;
        using MetricsServer? served = MetricsServer.Start(metrics, () => Task.FromResult(ServerMetrics.Of(host.Meters, spec.MountPoint)));
        Console.WriteLine(spec.Describe(host.Negotiated));
        if (host.ControlProblem is string problem)
        {
            Console.Error.WriteLine($"harness: stats and explain will not find this mount: {problem}");
        }

        host.Ended.ContinueWith(_ => stop.Set(), TaskScheduler.Default);
        if (endsWithInput)
        {
            Console.OpenStandardInput().CopyToAsync(Stream.Null).ContinueWith(_ => stop.Set(), TaskScheduler.Default);
        }

        stop.Wait();
        if (!host.Stop())
        {
            Console.Error.WriteLine($"harness: {spec.MountPoint} was in use: its open files now give errors.");
        }

        if (host.StopBackend() is string lost)
        {
            CommandLine.Fail(lost);
            return ExitCode.CheckFailed;
        }

        if (host.Ended.Exception?.InnerException is Exception fault)
        {
            CommandLine.Fail(fault.Message);
            return ExitCode.CheckFailed;
        }

        return ExitCode.Done;
    }
}
