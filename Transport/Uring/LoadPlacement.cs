using Harness.Runtime;

namespace Harness.Transport.Uring;

/// <summary>Where the thread of a CPU's queue runs: on that CPU while applications wait for each of their requests, anywhere while they do not.</summary>
/// <remarks>
/// An application that waits leaves its CPU free for whoever serves it, and there its data are in the cache and nobody has to be woken on a CPU
/// that sleeps (four readers: 161–183 K IOPS beside them, 125–164 K left to the scheduler). One that goes on meanwhile, by libaio or by the
/// kernel's readahead, would be in the way (depth 32: 160–189 K and 246–287 K). The two are told apart by what is found in one pass on that CPU:
/// only who does not wait has several requests there. Away from it a pass finds few, so the thread returns now and then and looks.
/// For one thread.
/// </remarks>
/// <param name="home">The queue's CPU.</param>
/// <param name="anywhere">The CPUs that the process may use.</param>
internal struct LoadPlacement(CpuSet home, CpuSet anywhere)
{
    private const int SampleRequests = 64;

    // A sample on the queue's own CPU at half the speed, once in so many requests, costs one or two per cent of a load that goes on.
    private const int AwayRequests = 4096;

    // Of a sample: a sixteenth may repeat by chance, such as a reader's readahead; half do where eight are taken at a time.
    private const int RepeatsShareToLeave = 4;
    private const int RepeatsShareToStay = 16;

    private readonly bool _canReturn = home.Numbers.All(anywhere.Contains);
    private uint _lastRequester = uint.MaxValue;
    private int _requests;
    private int _repeats;

    /// <summary>Whether the thread has been let go from its CPU.</summary>
    public bool IsAway { get; private set; }

    /// <summary>Places the thread at the start.</summary>
    public readonly void Apply()
    {
        if (_canReturn)
        {
            _ = ThreadPlacement.TryPin(home);
        }
    }

    /// <summary>Takes note of a request.</summary>
    /// <param name="requester">The thread that made it (<c>fuse_in_header.pid</c>).</param>
    public void Note(uint requester)
    {
        _requests++;
        if (requester == _lastRequester)
        {
            _repeats++;
        }

        _lastRequester = requester;
    }

    /// <summary>Ends a pass over what had come, and moves the thread if that is called for.</summary>
    public void EndPass()
    {
        _lastRequester = uint.MaxValue;
        if (_requests < (IsAway ? AwayRequests : SampleRequests) || !_canReturn)
        {
            return;
        }

        if (!IsAway && _repeats * RepeatsShareToLeave >= _requests)
        {
            IsAway = ThreadPlacement.TryPin(anywhere);
        }
        else if (IsAway && _repeats * RepeatsShareToStay < _requests)
        {
            Return();
        }

        _requests = 0;
        _repeats = 0;
    }

    /// <summary>Returns to the queue's CPU.</summary>
    public void Return()
    {
        if (IsAway)
        {
            IsAway = !ThreadPlacement.TryPin(home);
        }
    }
}
