using System.ComponentModel;
using System.Diagnostics;
using Harness.Experiments.Commands;

namespace Harness.Experiments.Keeping;

/// <content>Starting daemons, listening to them, and giving one's place to another.</content>
internal sealed partial class Supervisor
{
    /// <summary>Packets that are taken from a daemon before anything else is looked at.</summary>
    private const int PacketsAtOnce = 1000;

    // A start takes a tenth of a second; a daemon that takes as long as this hangs.
    private static readonly TimeSpan s_startMax = TimeSpan.FromSeconds(20);

    /// <summary>How an answer begins that tells why nothing was done.</summary>
    public const string Refused = "refused: ";

    private (int Id, string End, long When)? _predecessor;

    private bool _isReplacing;

    private void ListenToCurrent()
    {
        for (int i = 0; i < PacketsAtOnce && _exitCode is null; i++)
        {
            switch (_current.Link.Receive(wait: false))
            {
                case null:
                    return;
                case false:
                    OnCurrentEnded();
                    return;
                default:
                    Take(_current.Link);
                    break;
            }
        }
    }

    private void Take(Link link)
    {
        ReadOnlySpan<uint> values = link.Values;
        ReadOnlySpan<int> fds = link.Descriptors;
        switch (link.Verb)
        {
            case LinkVerb.Keep when values.Length == 1 && fds.Length == 1:
                _shelf.Keep(values[0], fds[0]);
                break;
            case LinkVerb.Drop when values.Length == 1:
                _shelf.Drop(values[0]);
                break;
            case LinkVerb.Hello when values is [KeptState.Version]:
                _current.IsWaiting = true;
                GiveOver();
                break;
            case LinkVerb.Ready:
                OnServing();
                break;
            default:
                CommandLine.Fail($"{_mount.MountPoint}: daemon {_current.Id} sent {link.Verb}, which was not expected; it is ended.");
                _current.Kill();
                break;
        }
    }

    /// <summary>Gives the daemon everything. It is the only one: whoever was before it has been reaped.</summary>
    private void GiveOver()
    {
        _current.IsWaiting = false;
        _current.AnswerBy = Deadline(s_startMax);
        if (!HandOver.TrySend(_current.Link, _state, _devices, _shelf))
        {
            _current.Kill();
        }
    }

    private void OnServing()
    {
        _current.IsServing = true;
        _hasServed = true;
        EnsureNext();
        if (_predecessor is not var (id, end, when))
        {
            return;
        }

        _predecessor = null;
        string report = $"daemon {id} {end}; {_current.Id} took over after {Stopwatch.GetElapsedTime(when).TotalMilliseconds:F1} ms";
        Console.Error.WriteLine($"harness: {_mount.MountPoint}: {report}");
        _control.Answer(report);
    }

    /// <summary>The daemon is dead: all its threads have ended, and what it had sent has been taken.</summary>
    private void OnCurrentEnded()
    {
        int code = _current.Reap();
        if (code == ExitCode.Done || _isAborted || !_hasServed)
        {
            // The connection has ended: unmounted by whomever, or aborted. Or there never was one.
            _exitCode = _isAborted ? ExitCode.Done : code <= DaemonChild.CodeMax ? code : ExitCode.CheckFailed;
            return;
        }

        bool isReplaced = _isReplacing && _next is { IsWaiting: true };
        string end = isReplaced ? "was replaced" : DaemonChild.Describe(code);
        if (!isReplaced && _deaths.Add())
        {
            GiveUp($"daemon {_current.Id} {end}, the last of {DeathCount.DeathsMax + 1} within {DeathCount.Window.TotalSeconds} s.");
            return;
        }

        // A further death before anybody has taken over makes the same pause longer.
        _predecessor ??= (_current.Id, end, Stopwatch.GetTimestamp());
        _isReplacing = _isReplacing && !isReplaced;
        EnsureNext();
        if (_next is null)
        {
            GiveUp($"daemon {_current.Id} {end}, and no other could be started.");
            return;
        }

        _current.Dispose();
        (_current, _next) = (_next, null);
        _program = _current.Program;
        if (_current.IsWaiting)
        {
            GiveOver();
        }
    }

    /// <summary>
    /// Has a daemon ready that has started but serves nothing, which is most of what there is to wait for when the other dies: with it a pause is
    /// some 20 ms, without it some 300 (docs/handover.md).
    /// </summary>
    private void EnsureNext()
    {
        try
        {
            _next ??= DaemonChild.Start(_program, _arguments, Deadline(s_startMax));
        }
        catch (Win32Exception exception)
        {
            CommandLine.Fail($"{_mount.MountPoint}: no daemon could be started: {exception.Message}");
        }
    }

    /// <summary>Starts a daemon that takes the other's place as soon as it can.</summary>
    private void Replace(DaemonProgram program)
    {
        if (_isReplacing || !_current.IsServing || _unmounting is not null)
        {
            _control.Answer($"{Refused}the daemon is just being replaced, or the mount is ending.");
            return;
        }

        try
        {
            DaemonChild started = DaemonChild.Start(program, _arguments, Deadline(s_startMax));
            EndNext();
            _next = started;
            _isReplacing = true;
        }
        catch (Win32Exception exception)
        {
            Refuse(exception.Message);
        }
    }

    private void ListenToNext()
    {
        // Once it waits it says nothing before it is given something.
        if (_next is null || _next.Link.Receive(wait: false) is not bool hasPacket)
        {
            return;
        }

        if (hasPacket && _next.Link.Verb == LinkVerb.Hello && _next.Link.Values is [KeptState.Version])
        {
            _next.IsWaiting = true;
            if (_isReplacing)
            {
                _current.Kill();
            }

            return;
        }

        EndNext();
        if (_isReplacing)
        {
            Refuse(hasPacket ? "the new program keeps its state in another form. Unmount, and mount with it." : "the new program did not start.");
            _isReplacing = false;
        }

        if (!_deaths.Add())
        {
            EnsureNext();
        }
    }

    private void EndNext()
    {
        _next?.Kill();
        _next?.Dispose();
        _next = null;
    }

    private void Refuse(string reason)
    {
        CommandLine.Fail($"{_mount.MountPoint}: daemon {_current.Id} is not replaced: {reason}");
        _control.Answer(Refused + reason);
    }
}
