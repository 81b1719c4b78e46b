using Harness.Experiments.Commands;

namespace Harness.Experiments.Keeping;

/// <content>Ending: by a clean unmount, by force where that takes too long, and where no daemon can live.</content>
internal sealed partial class Supervisor
{
    // Time for the daemon to write what the kernel has cached; without that an unmount takes milliseconds.
    private static readonly TimeSpan s_unmountMax = TimeSpan.FromSeconds(10);

    // What takes longer than this after the unmount waits for an application that holds a file open.
    private static readonly TimeSpan s_drainMax = TimeSpan.FromMilliseconds(500);

    private Task<bool>? _unmounting;
    private bool _isAborted;
    private long? _endBy;

    /// <summary>Unmounts on a thread of its own, since that waits for the daemon, or for one that takes its place; asked twice, does not wait.</summary>
    private void Stop()
    {
        if (_unmounting is not null)
        {
            Abort();
            return;
        }

        _unmounting = Task.Factory.StartNew(_mount.Unmount, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        _unmounting.ContinueWith(_ => _events.Raise(SupervisorEvent.Unmounted), TaskScheduler.Default);
        EndWithin(s_unmountMax);
    }

    private void OnUnmounted()
    {
        if (_unmounting!.Exception?.InnerException is Exception fault)
        {
            CommandLine.Fail(fault.Message);
        }
        else if (!_unmounting.Result)
        {
            CommandLine.Fail($"{_mount.MountPoint} was in use: its open files now give errors.");
        }

        EndWithin(s_drainMax);
    }

    /// <summary>Ends the connection by force; where there is no way to, the daemon and the fds go, and with them the connection.</summary>
    private void Abort()
    {
        if (_isAborted || !_mount.TryAbort())
        {
            _current.Kill();
        }

        _isAborted = true;
        EndWithin(s_drainMax);
    }

    private void GiveUp(string reason)
    {
        CommandLine.Fail(
            $"{_mount.MountPoint} is given up: {reason} Who uses it gets errors. Free the mount point: ./harness unmount {_mount.MountPoint}");
        _mount.TryAbort();
        _control.Answer($"given up: {reason}");
        _exitCode = ExitCode.CheckFailed;
    }

    private static long Deadline(TimeSpan time) => Environment.TickCount64 + (long)time.TotalMilliseconds;

    private void EndWithin(TimeSpan time) => _endBy = Deadline(time);

    private int MillisToDeadline()
    {
        long deadline = Math.Min(_endBy ?? long.MaxValue, _current.IsOwing ? _current.AnswerBy : long.MaxValue);
        deadline = Math.Min(deadline, _next is { IsOwing: true } ? _next.AnswerBy : long.MaxValue);
        return deadline == long.MaxValue ? -1 : (int)Math.Clamp(deadline - Environment.TickCount64, 0, int.MaxValue);
    }

    private void CheckDeadlines()
    {
        long now = Environment.TickCount64;
        if (_current.IsOwing && now >= _current.AnswerBy)
        {
            _current.Kill();
        }

        if (_next is { IsOwing: true } && now >= _next.AnswerBy)
        {
            _next.Kill();
        }

        if (now >= _endBy)
        {
            Abort();
        }
    }

    /// <summary>Leaves no mount behind that nobody could use, and none that is half unmounted.</summary>
    private void Finish()
    {
        if (_unmounting is not null)
        {
            Task.WaitAny([_unmounting], s_drainMax);
        }
        else if (!_isUp)
        {
            _mount.TryAbort();
            _mount.Unmount();
        }
    }
}
