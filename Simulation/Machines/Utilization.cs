namespace Harness.Simulation.Machines;

/// <summary>
/// How much of a CPU is used: a mean over the past in which each 33.6 ms count half of those after them (kernel/sched/pelt.c, <c>util_avg</c>).
/// </summary>
/// <remarks>It decays by products and square roots alone, which are the same to the bit on every machine, as <see cref="Math.Pow"/> is not.</remarks>
struct Utilization
{
    /// <summary>The logarithm of the period in ns at whose end the mean is taken: 1024 times what the kernel takes for 1 us.</summary>
    public const int PeriodBits = 20;

    /// <summary>The logarithm of the half-life in ns: 32 periods (<c>LOAD_AVG_PERIOD</c>).</summary>
    const int HalfLifeBits = 25;

    /// <summary>After so many half-lives nothing is left.</summary>
    const int HalfLivesMax = 60;

    /// <summary>What is left after 1, 2, 4, ... ns.</summary>
    static readonly double[] Left = DecayBy();

    long countedUntil;
    double counted;

    /// <summary>The mean when it was last taken, 0 to 1: what has been used in a period shows at its end.</summary>
    public double Value { get; private set; }

    /// <summary>Counts the time since it was last counted as used, or as not used.</summary>
    public void Count(long now, bool isUsed)
    {
        if (now > countedUntil)
        {
            double left = LeftAfter(now - countedUntil);
            counted = (counted * left) + (isUsed ? 1 - left : 0);
            if (now >> PeriodBits != countedUntil >> PeriodBits)
            {
                Value = counted;
            }
            countedUntil = now;
        }
    }

    /// <summary>A thread comes to the CPU and brings its part, or goes and takes it along.</summary>
    public void Add(double part) => (Value, counted) = (Math.Max(0, Value + part), Math.Max(0, counted + part));

    /// <summary>
    /// The thread comes to another CPU: it brings the mean, and what has been counted since that was taken is lost
    /// (<c>attach_entity_load_avg</c>). A thread that moves once a period or more often seems to use hardly anything.
    /// </summary>
    public void Move() => counted = Value;

    static double LeftAfter(long nanoseconds)
    {
        long halves = nanoseconds >> HalfLifeBits;
        double left = halves > HalfLivesMax ? 0 : 1.0 / (1L << (int)halves);
        long rest = nanoseconds & ((1L << HalfLifeBits) - 1);
        for (int bit = 0; rest != 0; bit++, rest >>= 1)
        {
            left *= (rest & 1) != 0 ? Left[bit] : 1;
        }
        return left;
    }

    static double[] DecayBy()
    {
        var left = new double[HalfLifeBits];
        double next = 0.5;
        for (int bit = HalfLifeBits - 1; bit >= 0; bit--)
        {
            left[bit] = next = Math.Sqrt(next);
        }
        return left;
    }
}
