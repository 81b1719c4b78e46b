namespace Harness.Experiments.Calibration;

/// <summary>A thread that sleeps until it is rung for, does its work, and rings back.</summary>
/// <remarks>One thread measures with it at a time. What its work throws is thrown where its answer is awaited.</remarks>
internal sealed class BellPartner : IDisposable
{
    private readonly Bell _call = new();
    private readonly Bell _answer = new();
    private readonly PinnedThread _thread;
    private bool _isToEnd;
    private bool _hasEnded;

    /// <summary>Starts the thread, which waits for the first ring.</summary>
    /// <param name="cpu">Where it stays; null for anywhere.</param>
    /// <param name="work">What it does between a ring and its answer.</param>
    /// <param name="waitsItsTurn">See <see cref="PinnedThread.Start"/>.</param>
    /// <exception cref="Transport.FuseTransportException">It cannot be where, or what, it should be.</exception>
    public BellPartner(int? cpu, Action work, bool waitsItsTurn = false)
    {
        try
        {
            _thread = PinnedThread.Start(cpu, () => Answer(work), waitsItsTurn);
        }
        catch
        {
            DisposeBells();
            throw;
        }
    }

    /// <summary>Rings for it.</summary>
    public void Ring() => _call.Ring();

    /// <summary>Waits until it has done its work.</summary>
    public void AwaitAnswer()
    {
        _answer.Await();
        if (Volatile.Read(ref _hasEnded))
        {
            _thread.Join();
        }
    }

    /// <summary>Rings for it and waits until it has done its work.</summary>
    public void Round()
    {
        Ring();
        AwaitAnswer();
    }

    /// <summary>Ends the thread and waits for its end.</summary>
    public void Dispose()
    {
        Volatile.Write(ref _isToEnd, true);
        _call.Ring();
        _thread.Dispose();
        DisposeBells();
    }

    private void Answer(Action work)
    {
        try
        {
            while (true)
            {
                _call.Await();
                if (Volatile.Read(ref _isToEnd))
                {
                    return;
                }

                work();
                _answer.Ring();
            }
        }
        finally
        {
            // Else whoever waits for an answer would wait for ever for one whose work has failed.
            Volatile.Write(ref _hasEnded, true);
            _answer.Ring();
        }
    }

    private void DisposeBells()
    {
        _call.Dispose();
        _answer.Dispose();
    }
}
