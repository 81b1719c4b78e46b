using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using Harness.Experiments.Commands;
using Harness.Experiments.Machine;
using Harness.Runtime;
using Harness.Runtime.Native;
using Harness.Transport;
using Harness.Transport.Mounting;

namespace Harness.Experiments.Running;

/// <summary>A mount under test, in a process of its own, so that neither a crash nor the runner's own work touches the measurement.</summary>
internal sealed class DaemonProcess : IAsyncDisposable
{
    private const int SigTerm = 15;

    // Fields 14 and 15 of /proc/PID/stat, counted from the third, which follows the program's name in parentheses (proc_pid_stat(5)).
    private const int UserTicksField = 11;
    private const int TicksPerSecond = 100;

    private static readonly TimeSpan s_startMax = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan s_stopMax = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan s_lookAgain = TimeSpan.FromMilliseconds(10);

    // The kernel tells a child of its parent's end already when the thread that started it ends (prctl(2), PR_SET_PDEATHSIG), and threads of
    // the pool come and go: the daemon of a long trial would be stopped in the middle of it.
    private static readonly EventLoop s_starter = new("process-starter");

    private readonly Process _process;
    private readonly Task<string> _errors;
    private int _disposed;

    private DaemonProcess(Process process, string mountPoint)
    {
        _process = process;
        MountPoint = mountPoint;
        _errors = process.StandardError.ReadToEndAsync();
    }

    /// <summary>Where the file system is mounted.</summary>
    public string MountPoint { get; }

    /// <summary>Whether the process has ended by itself.</summary>
    public bool HasExited => _disposed != 0 || _process.HasExited;

    /// <summary>CPU time that the daemon has used, user and system.</summary>
    public (TimeSpan User, TimeSpan System) CpuTime
    {
        get
        {
            try
            {
                string stat = File.ReadAllText($"/proc/{_process.Id}/stat");
                string[] fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
                return (Ticks(fields[UserTicksField]), Ticks(fields[UserTicksField + 1]));
            }
            catch (IOException)
            {
                return default;
            }
        }
    }

    /// <summary>CPU time that its threads have had so far, to the nanosecond; one that has ended does not count.</summary>
    /// <exception cref="FuseTransportException">The daemon has ended.</exception>
    public long RunTimeNanos
    {
        get
        {
            try
            {
                return SchedStat.RunTimeNanosOf(_process.Id);
            }
            catch (DirectoryNotFoundException exception)
            {
                throw new FuseTransportException($"The daemon of {MountPoint} has ended.", exception);
            }
        }
    }

    /// <summary>The command line of <c>harness mount</c>, this program's own, with these arguments.</summary>
    public static IReadOnlyList<string> HarnessMount(IEnumerable<string> arguments, string mountPoint) =>
        [Environment.ProcessPath!, typeof(DaemonProcess).Assembly.Location, "mount", .. arguments, MountCommand.ExitWithParent, mountPoint];

    /// <summary>Starts <c>harness mount</c> and waits for the line by which it says that the mount point can be used.</summary>
    /// <param name="commandLine">That of <see cref="HarnessMount"/>, perhaps behind a program that places it.</param>
    /// <param name="mountPoint">An empty directory.</param>
    /// <param name="cancellationToken">Gives it up; nothing stays mounted.</param>
    /// <exception cref="FuseTransportException">The daemon could not mount; the message is its own.</exception>
    public static Task<DaemonProcess> StartHarness(
        IReadOnlyList<string> commandLine, string mountPoint, CancellationToken cancellationToken) =>
        Start(commandLine, mountPoint, async (daemon, limit) =>
            await daemon._process.StandardOutput.ReadLineAsync(limit).ConfigureAwait(false) is not null, cancellationToken);

    /// <summary>Starts another server of FUSE, which stays in the foreground, and waits until it has mounted and answers a LOOKUP.</summary>
    /// <param name="commandLine">The program and its arguments, mount point and all.</param>
    /// <param name="mountPoint">An empty directory.</param>
    /// <param name="file">A file that it serves, by which it is tried.</param>
    /// <param name="cancellationToken">Gives it up; nothing stays mounted.</param>
    /// <exception cref="FuseTransportException">It could not be started, did not mount, or serves no such file.</exception>
    public static Task<DaemonProcess> StartPeer(
        IReadOnlyList<string> commandLine, string mountPoint, string file, CancellationToken cancellationToken) =>
        Start(commandLine, mountPoint, (daemon, limit) => daemon.AwaitMount(file, limit), cancellationToken);

    /// <summary>Unmounts and waits for the process; by force if it does not end by itself. Leaves no dead mount.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }

        _ = Libc.Kill(_process.Id, SigTerm);
        try
        {
            await _process.WaitForExitAsync().WaitAsync(s_stopMax).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            _process.Kill();
            await _process.WaitForExitAsync().ConfigureAwait(false);
        }

        if (MountTable.Find(MountPoint) is MountEntry left)
        {
            FuseControl.TryAbort(left.DeviceMinor);
            FuseMount.Unmount(MountPoint);
        }

        _process.Dispose();
    }

    private static async Task<DaemonProcess> Start(
        IReadOnlyList<string> commandLine,
        string mountPoint,
        Func<DaemonProcess, CancellationToken, Task<bool>> isReady,
        CancellationToken cancellationToken)
    {
        var daemon = new DaemonProcess(await StartProcess(commandLine).ConfigureAwait(false), mountPoint);
        try
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            limit.CancelAfter(s_startMax);
            if (await isReady(daemon, limit.Token).ConfigureAwait(false))
            {
                return daemon;
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            await daemon.DisposeAsync().ConfigureAwait(false);
            throw new FuseTransportException($"The mount on {mountPoint} was not ready within {s_startMax.TotalSeconds} s.");
        }
        catch
        {
            await daemon.DisposeAsync().ConfigureAwait(false);
            throw;
        }

        string errors = await daemon._errors.ConfigureAwait(false);
        await daemon.DisposeAsync().ConfigureAwait(false);
        // Ctrl-C ends the daemon, too, and perhaps before anybody has cancelled this.
        cancellationToken.ThrowIfCancellationRequested();
        throw new FuseTransportException(errors.Trim() is { Length: > 0 } text ? text : "The mount ended before it was ready.");
    }

    private static Task<Process> StartProcess(IReadOnlyList<string> commandLine)
    {
        var info = new ProcessStartInfo(commandLine[0], commandLine.Skip(1))
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        var started = new TaskCompletionSource<Process>(TaskCreationOptions.RunContinuationsAsynchronously);
        s_starter.Post(
            _ =>
            {
                try
                {
                    started.SetResult(Process.Start(info)!);
                }
                catch (Win32Exception exception)
                {
                    started.SetException(new FuseTransportException($"{commandLine[0]} could not be started: {exception.Message}", exception));
                }
            },
            null);
        return started.Task;
    }

    private async Task<bool> AwaitMount(string file, CancellationToken cancellationToken)
    {
        // What it prints is nobody's business, but a full pipe would stop it.
        _ = _process.StandardOutput.ReadToEndAsync(CancellationToken.None);
        while (MountTable.Find(MountPoint) is null)
        {
            if (_process.HasExited)
            {
                return _process.ExitCode == 0 ? throw WentToTheBackground() : false;
            }

            await Task.Delay(s_lookAgain, cancellationToken).ConfigureAwait(false);
        }

        // The kernel holds the LOOKUP back until INIT is over; a server that never answers ends the wait when it is stopped.
        bool serves = await Task.Run(() => File.Exists(Path.Combine(MountPoint, file)), CancellationToken.None)
            .WaitAsync(cancellationToken).ConfigureAwait(false);
        if (_process.HasExited)
        {
            throw WentToTheBackground();
        }

        return serves ? true : throw new FuseTransportException($"The mount serves no file {file}.");
    }

    private FuseTransportException WentToTheBackground() =>
        new($"The command ended with code {_process.ExitCode}; it has to stay in the foreground while it serves (libfuse: -f).");

    private static TimeSpan Ticks(string field) =>
        TimeSpan.FromSeconds(double.Parse(field, CultureInfo.InvariantCulture) / TicksPerSecond);
}
