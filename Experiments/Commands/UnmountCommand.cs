using System.CommandLine;
using Harness.Transport.Mounting;

namespace Harness.Experiments.Commands;

/// <summary><c>./harness unmount</c>: frees a mount point, whether its daemon lives, hangs or is dead.</summary>
internal static class UnmountCommand
{
    /// <summary>The command.</summary>
    public static Command Create()
    {
        var mountPoint = new Argument<string>("MOUNTPOINT") { Description = "Where a FUSE file system is mounted" };
        var command = new Command("unmount", "Unmounts a FUSE file system, also one whose daemon is dead or hangs.") { mountPoint };
        command.SetAction(parsed =>
        {
            string path = Path.TrimEndingDirectorySeparator(Path.GetFullPath(parsed.GetValue(mountPoint)!));
            if (MountTable.Find(path) is not MountEntry entry || !entry.Type.StartsWith("fuse", StringComparison.Ordinal))
            {
                throw new BadArgumentsException($"No FUSE file system is mounted at {path}.");
            }

            Console.WriteLine(FuseMount.Unmount(path) ? $"unmounted {path}" : $"unmounted {path}; files are still open on it");
            return ExitCode.Done;
        });
        return command;
    }
}
