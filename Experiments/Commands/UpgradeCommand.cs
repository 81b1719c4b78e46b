using System.CommandLine;
using Harness.Experiments.Keeping;
using Harness.Transport;
using Harness.Transport.Mounting;

namespace Harness.Experiments.Commands;

/// <summary><c>./harness upgrade</c>: puts this program in the place of the daemon that serves a kept mount.</summary>
internal static class UpgradeCommand
{
    /// <summary>The command.</summary>
    public static Command Create()
    {
        var mountPoint = new Argument<string>("MOUNTPOINT") { Description = "Where a file system is mounted with --keep" };
        var command = new Command("upgrade", "Replaces the daemon of a kept mount by this program; who uses the mount sees a pause.") { mountPoint };
        command.SetAction(parsed =>
        {
            string path = Path.TrimEndingDirectorySeparator(Path.GetFullPath(parsed.GetValue(mountPoint)!));
            MountEntry entry = MountTable.Find(path) ?? throw new BadArgumentsException($"Nothing is mounted at {path}.");
            string answer = SupervisorSocket.Ask(entry.DeviceMinor, new SupervisorRequest(SupervisorRequest.Replace, DaemonProgram.Own).ToString())
                ?? throw new BadArgumentsException($"No supervisor answers for {path}. Only what was mounted with --keep can be upgraded.");
            return answer.StartsWith(Supervisor.Refused, StringComparison.Ordinal) ? throw new FuseTransportException($"{path}: {answer}") : Print(answer);
        });
        return command;
    }

    private static int Print(string answer)
    {
        Console.WriteLine(answer);
        return ExitCode.Done;
    }
}
