using System.CommandLine;
using System.Runtime.InteropServices;
using Harness.Transport;
using Harness.Transport.Mounting;

namespace Harness.Experiments.Commands;

/// <summary><c>./harness unmount</c>: frees a mount point, whether its daemon lives, hangs or is dead.</summary>
/// <remarks>
/// What the kernel has cached for the file system is written first. A dead daemon's mount does not wait for that, since the kernel has ended the
/// connection; one that hangs would for ever, so that there is a way to end it by force, before and while it waits.
/// </remarks>
internal static class UnmountCommand
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(3);

    /// <summary>The command.</summary>
    public static Command Create()
    {
        var mountPoint = new Argument<string>("MOUNTPOINT") { Description = "Where a FUSE file system is mounted" };
        var force = new Option<bool>("--force") { Description = "End the connection first: who uses it gets errors, and what is not yet written is lost" };
        var command = new Command("unmount", "Unmounts a FUSE file system, also one whose daemon is dead or hangs.") { force, mountPoint };
        command.SetAction(parsed =>
        {
            string path = Path.TrimEndingDirectorySeparator(Path.GetFullPath(parsed.GetValue(mountPoint)!));
            if (MountTable.Find(path) is not MountEntry entry || !entry.Type.StartsWith("fuse", StringComparison.Ordinal))
            {
                throw new BadArgumentsException($"No FUSE file system is mounted at {path}.");
            }

            if (parsed.GetValue(force))
            {
                Abort(entry);
            }

            Console.WriteLine(Unmount(entry) ? $"unmounted {path}" : $"unmounted {path}; files are still open on it");
            return ExitCode.Done;
        });
        return command;
    }

    private static bool Unmount(MountEntry entry)
    {
        void OnSignal(PosixSignalContext context)
        {
            context.Cancel = true;
            Abort(entry);
        }

        using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal);
        using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal);
        Task<bool> unmounting = Task.Factory.StartNew(
            () => FuseMount.Unmount(entry.MountPoint), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        if (Task.WaitAny([unmounting], s_patience) < 0)
        {
            Console.Error.WriteLine(
                $"harness: the daemon of {entry.MountPoint} has not yet written what the kernel had cached. Ctrl-C ends it by force: what is not written is lost.");
        }

        try
        {
            unmounting.Wait();
            return unmounting.Result;
        }
        catch (AggregateException exception) when (exception.InnerException is FuseTransportException cannot)
        {
            throw new FuseTransportException(cannot.Message, cannot);
        }
    }

    private static void Abort(MountEntry entry)
    {
        if (!FuseControl.TryAbort(entry.DeviceMinor))
        {
            CommandLine.Fail($"the connection of {entry.MountPoint} cannot be ended by force: is {FuseControl.Root} mounted, and is this its user or root?");
        }
    }
}
