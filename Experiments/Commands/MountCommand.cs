using System.CommandLine;
using System.Runtime.InteropServices;
using Harness.Experiments.Mounting;
using Harness.Experiments.Plan;
using Harness.Experiments.Plan.Values;
using Harness.FuseProtocol;
using Harness.Runtime.Native;

namespace Harness.Experiments.Commands;

/// <summary><c>./harness mount</c>: serves a file system in the foreground until it is unmounted or interrupted.</summary>
internal static class MountCommand
{
    /// <summary>Ends the mount with the process that started it, so that a killed run leaves nothing mounted.</summary>
    public const string ExitWithParent = "--exit-with-parent";

    private const int PrSetPdeathsig = 1;
    private const int SigTerm = 15;

    /// <summary>The command.</summary>
    public static Command Create()
    {
        var backend = new Option<string>("--backend")
        {
            Description = "What is served: null (zeros without end) or memory (a file system in this process's memory)",
            DefaultValueFactory = _ => Backend.Memory,
        };
        var trace = new Option<string?>("--trace") { Description = "Write a line per message (rx, tx) to this file; - for standard error" };
        var exitWithParent = new Option<bool>(ExitWithParent) { Hidden = true };
        var mountPoint = new Argument<string>("MOUNTPOINT") { Description = "An existing directory" };
        var command = new Command("mount", "Mounts a file system and serves it in the foreground; Ctrl-C unmounts.")
        {
            backend, trace, exitWithParent, mountPoint,
        };
        var knobs = new KnobOptions(command);
        command.SetAction(parsed =>
        {
            if (parsed.GetValue(exitWithParent))
            {
                _ = Libc.Prctl(PrSetPdeathsig, SigTerm, 0, 0, 0);
            }

            var spec = new MountSpec
            {
                Backend = ReadBackend(parsed.GetValue(backend)!),
                Knobs = knobs.Read(parsed),
                MountPoint = Path.GetFullPath(parsed.GetValue(mountPoint)!),
            };
            using TextWriter? traceWriter = OpenTrace(parsed.GetValue(trace));
            return Serve(spec, MountObservers.Create(traceWriter));
        });
        return command;
    }

    private static Backend ReadBackend(string text)
    {
        string name = text.Split(':', 2)[0];
        if (!Backend.Names.Contains(name))
        {
            throw new BadArgumentsException(
                $"--backend: there is no {Quoted.Text(name)}{NearestName.Hint(name, Backend.Names)}; allowed: {string.Join(", ", Backend.Names)}.");
        }

        return new Backend(name, text.Contains(':', StringComparison.Ordinal) ? text.Split(':', 2)[1] : null);
    }

    private static TextWriter? OpenTrace(string? path)
    {
        try
        {
            return path switch
            {
                null => null,
                "-" => Console.Error,
                _ => new StreamWriter(path) { AutoFlush = true },
            };
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new BadArgumentsException($"--trace: {exception.Message}");
        }
    }

    private static int Serve(MountSpec spec, IFuseObserver observer)
    {
        using MountHost host = MountHost.Start(spec, observer);
        Console.WriteLine(spec.Describe(host.Negotiated));
        using var stop = new ManualResetEventSlim();
        int signals = 0;
        void OnSignal(PosixSignalContext context)
        {
            context.Cancel = true;
            if (Interlocked.Increment(ref signals) > 1)
            {
                // Asked twice: whoever still waits for the file system gets an error, and this process ends.
                host.Abort();
            }

            stop.Set();
        }

        using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal);
        using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal);
        host.Ended.ContinueWith(_ => stop.Set(), TaskScheduler.Default);
        stop.Wait();
        if (!host.Stop())
        {
            Console.Error.WriteLine($"harness: {spec.MountPoint} was in use: its open files now give errors.");
        }

        if (host.Ended.Exception?.InnerException is Exception fault)
        {
            CommandLine.Fail(fault.Message);
            return ExitCode.CheckFailed;
        }

        return ExitCode.Done;
    }
}
