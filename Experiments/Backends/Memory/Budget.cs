namespace Harness.Experiments.Backends.Memory;

/// <summary>A limit that many threads draw on at once. What is charged never exceeds it.</summary>
internal sealed class Budget(long limit)
{
    private long _charged;

    /// <summary>The most that can be charged.</summary>
    public long Limit { get; } = limit;

    /// <summary>What can be charged now.</summary>
    public long Free => Limit - Volatile.Read(ref _charged);

    /// <summary>Charges the whole amount, or nothing.</summary>
    public bool TryCharge(long amount)
    {
        while (true)
        {
            long charged = Volatile.Read(ref _charged);
            if (amount > Limit - charged)
            {
                return false;
            }

            if (Interlocked.CompareExchange(ref _charged, charged + amount, charged) == charged)
            {
                return true;
            }
        }
    }

    /// <summary>Charges as much of the amount as there is.</summary>
    /// <returns>What was charged, possibly 0.</returns>
    public int ChargeUpTo(int amount)
    {
        while (true)
        {
            long granted = Math.Clamp(Free, 0, amount);
            if (granted == 0 || TryCharge(granted))
            {
                return (int)granted;
            }
        }
    }

    /// <summary>Gives back what was charged.</summary>
    public void Refund(long amount) => Interlocked.Add(ref _charged, -amount);
}
