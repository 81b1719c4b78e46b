using System.Diagnostics;
using System.Globalization;
using Harness.Experiments.Commands;
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

    private readonly Process _process;
    private readonly string _mountPoint;
    private readonly Task<string> _errors;
    private int _disposed;

    private DaemonProcess(Process process, string mountPoint)
    {
        _process = process;
        _mountPoint = mountPoint;
        _errors = process.StandardError.ReadToEndAsync();
    }

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

    /// <summary>Starts <c>harness mount</c> with these arguments and waits until the mount point can be used.</summary>
    /// <exception cref="FuseTransportException">The daemon could not mount; the message is its own.</exception>
    public static async Task<DaemonProcess> Start(IEnumerable<string> arguments, string mountPoint, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo(
            Environment.ProcessPath!, [typeof(DaemonProcess).Assembly.Location, "mount", .. arguments, MountCommand.ExitWithParent, mountPoint])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        var daemon = new DaemonProcess(Process.Start(start)!, mountPoint);
        try
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            limit.CancelAfter(s_startMax);
            string? ready = await daemon._process.StandardOutput.ReadLineAsync(limit.Token).ConfigureAwait(false);
            if (ready is not null)
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
        throw new FuseTransportException(errors.Trim() is { Length: > 0 } text ? text : "The mount ended before it was ready.");
    }

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

        if (MountTable.Find(_mountPoint) is MountEntry left)
        {
            FuseControl.TryAbort(left.DeviceMinor);
            FuseMount.Unmount(_mountPoint);
        }

        _process.Dispose();
    }

    private static TimeSpan Ticks(string field) =>
        TimeSpan.FromSeconds(double.Parse(field, CultureInfo.InvariantCulture) / TicksPerSecond);
}
