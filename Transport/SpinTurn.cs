namespace Harness.Transport;

/// <summary>Lets one thread of several spin: two that ask for the same requests would only take them from each other.</summary>
internal sealed class SpinTurn
{
    private int _taken;

    /// <summary>Takes the turn if nobody has it.</summary>
    public bool TryTake() => Volatile.Read(ref _taken) == 0 && Interlocked.Exchange(ref _taken, 1) == 0;

    /// <summary>Ends the turn.</summary>
    public void GiveBack() => Volatile.Write(ref _taken, 0);
}
