using System.Diagnostics;
using Harness.Experiments.Machine;
using Harness.Runtime;
using Harness.Transport;

namespace Harness.Experiments.Calibration;

/// <summary>
/// A process that sleeps until it is rung for and rings back: cat(1) between two eventfds. It is a session of its own, with which the scheduler
/// shares CPUs as with one thread (sched(7), "autogroup"), as a job of fio is.
/// </summary>
internal sealed class BellProcess : IDisposable
{
    private readonly Bell _call = new(isInherited: true);
    private readonly Bell _answer = new(isInherited: true);
    private readonly Lock _end = new();
    private readonly Process _process;
    private readonly int _cpu;
    private bool _hasEnded;
    private bool _isDisposed;

    /// <summary>Starts it.</summary>
    /// <param name="cpu">Where it stays.</param>
    public BellProcess(int cpu)
    {
        _cpu = cpu;
        IReadOnlyList<string> commandLine = PinnedCommand.On(
            new CpuSet([cpu]), ["setsid", "bash", "-c", $"exec cat <&{_call.Descriptor} >&{_answer.Descriptor}"]);
        _process = new Process
        {
            StartInfo = new ProcessStartInfo(commandLine[0], commandLine.Skip(1)) { RedirectStandardError = true },
            EnableRaisingEvents = true,
        };
        _process.Exited += OnExited;
        _process.Start();
    }

    /// <summary>Its id.</summary>
    public int Id => _process.Id;

    /// <summary>Rings for it and waits until it has rung back.</summary>
    /// <exception cref="FuseTransportException">It has ended, or never was where it should be.</exception>
    public void Round()
    {
        _call.Ring();
        _answer.Await();
        if (Volatile.Read(ref _hasEnded))
        {
            throw new FuseTransportException($"A process could not be kept on CPU {_cpu}: {_process.StandardError.ReadToEnd().Trim()}");
        }
    }

    /// <summary>Ends it: eventfds have no end that it could read.</summary>
    public void Dispose()
    {
        lock (_end)
        {
            _isDisposed = true;
        }

        _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
        _call.Dispose();
        _answer.Dispose();
    }

    /// <summary>Else whoever waits for its answer would wait for ever.</summary>
    private void OnExited(object? sender, EventArgs arguments)
    {
        lock (_end)
        {
            if (!_isDisposed)
            {
                Volatile.Write(ref _hasEnded, true);
                _answer.Ring();
            }
        }
    }
}
