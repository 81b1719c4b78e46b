using Harness.Simulation.Machines;
using Harness.Transport.Simulated.Files;

namespace Harness.Transport.Simulated;

/// <summary>A simulated application's thread as the kernel knows it: who asks, and the files that its process has open.</summary>
/// <param name="thread">What runs its code and pays for it.</param>
/// <param name="pid">Its number, which messages carry.</param>
/// <param name="files">The open files; threads of one process share them.</param>
public sealed class KernelTask(SimThread thread, uint pid = 1000, FileTable? files = null)
{


    /// <summary>The simulated thread.</summary>
    public SimThread Thread { get; } = thread;

    /// <summary>The process number.</summary>
    public uint Pid { get; } = pid;

    /// <summary>The user. Only the superuser is modelled: permission checks send their messages and always succeed.</summary>
    public uint Uid { get; }

    /// <summary>The group.</summary>
    public uint Gid { get; }

    /// <summary>The process's file mode creation mask.</summary>
    public uint Umask { get; set; } = 0x12;

    /// <summary>Whose locks its files have: one number for each process (<c>fuse_lock_owner_id</c>).</summary>
    public ulong LockOwner => Pid;

    /// <summary>The process's open files.</summary>
    public FileTable Files { get; } = files ?? new FileTable();

    /// <summary>Whether a signal has come that a wait for the file system ends with.</summary>
    internal bool IsSignalled { get; set; }

    /// <summary>The request whose answer it waits for.</summary>
    internal Requests.KernelRequest? WaitsFor { get; set; }

    /// <summary>
    /// Signals the task: if it waits for the daemon, that is sent an INTERRUPT, and the task goes on waiting for the answer. A signal while
    /// it does not wait meets its next request.
    /// </summary>
    public void Signal()
    {
        IsSignalled = true;
        if (WaitsFor is not null)
        {
            Thread.Machine.Interrupt(Thread);
        }
    }
}
