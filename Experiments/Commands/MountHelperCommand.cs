using System.CommandLine;
using System.Diagnostics;

namespace Harness.Experiments.Commands;

/// <summary>
/// <c>mount.harness SOURCE MOUNTPOINT -o WORDS</c>, as mount(8) and mount.fuse3(8) call it: leaves a daemon in the background and returns when
/// the mount can be used.
/// </summary>
internal static class MountHelperCommand
{
    /// <summary>The command's name, which is also that of the script beside the launcher.</summary>
    public const string Name = "mount.harness";

    /// <summary>The command.</summary>
    public static Command Create()
    {
        var source = new Argument<string>("SOURCE") { Description = "A backend: null, memory, passthrough:DIRECTORY, cluster:HOST:PORT" };
        var mountPoint = new Argument<string>("MOUNTPOINT") { Description = "An existing directory" };
        var words = new Option<string[]>("-o") { Description = "Options, separated by commas" };
        var fake = new Option<bool>("-f") { Description = "Check everything, mount nothing" };
        var ignored = new Option<bool>("-s") { Description = "Accepted for mount(8)", Aliases = { "-n", "-v" } };
        var type = new Option<string?>("-t") { Description = "Accepted for mount(8)" };
        var command = new Command(Name, "Mounts in the background, for mount(8) and /etc/fstab.") { source, mountPoint, words, fake, ignored, type };
        command.Hidden = true;
        command.SetAction(parsed =>
        {
            string[] list = parsed.GetValue(words) ?? [];
            string path = parsed.GetValue(mountPoint)!;
            _ = MountCommand.ReadSpec(parsed.GetValue(source)!, Plan.KnobSettings.None, path, list);
            return parsed.GetValue(fake) ? ExitCode.Done : Detach(parsed.GetValue(source)!, path, list);
        });
        return command;
    }

    private static int Detach(string source, string mountPoint, IEnumerable<string> words)
    {
        IEnumerable<string> arguments =
        [
            typeof(MountHelperCommand).Assembly.Location, "mount", MountCommand.Detached, "--backend", source,
            .. words.SelectMany(word => (string[])["-o", word]), mountPoint,
        ];
        using Process daemon = Process.Start(new ProcessStartInfo(Environment.ProcessPath!, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = "/",
        })!;
        // The first line says that the mount is there. A daemon that failed has ended instead, and said why.
        if (daemon.StandardOutput.ReadLine() is not null)
        {
            return ExitCode.Done;
        }

        Console.Error.Write(daemon.StandardError.ReadToEnd());
        daemon.WaitForExit();
        return daemon.ExitCode == ExitCode.Done ? ExitCode.MachineCannot : daemon.ExitCode;
    }
}
