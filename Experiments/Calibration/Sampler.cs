using System.Diagnostics;

namespace Harness.Experiments.Calibration;

/// <summary>Repeats a measurement until its median has an interval.</summary>
/// <param name="batches">How often each is repeated.</param>
/// <param name="cancellationToken">Gives up between two batches.</param>
internal sealed class Sampler(int batches, CancellationToken cancellationToken)
{
    private bool _isBrief;

    /// <summary>Fewer than this give a median no confidence interval.</summary>
    public const int BatchesMin = 6;

    /// <summary>A figure whose interval is wider than this share of it is measured on.</summary>
    public const double WidthMax = 0.15;

    private const double NanosPerSecond = 1e9;

    // Others use the machine now and then; what is still wide after so many times as many batches stays so.
    private const int RepeatsMax = 4;

    // Steps in which a figure is measured on: looking after each batch would find the luckiest moment to stop.
    private const int Step = 5;

    /// <summary>What one of many calls takes, on a thread that stays on one CPU.</summary>
    /// <param name="cpu">Where.</param>
    /// <param name="calls">Calls of a batch.</param>
    /// <param name="call">What is measured.</param>
    /// <param name="source">What it is, in words.</param>
    /// <param name="waitsItsTurn">See <see cref="PinnedThread.Start"/>.</param>
    public Figure Each(int cpu, int calls, Action call, string source, bool waitsItsTurn = false) => Batch(
        cpu,
        () =>
        {
            long start = Stopwatch.GetTimestamp();
            for (int i = 0; i < calls; i++)
            {
                call();
            }

            return Nanos(start, Stopwatch.GetTimestamp()) / calls;
        },
        source,
        waitsItsTurn);

    /// <summary>The median of what a batch says, on a thread that stays on one CPU. The first batch, which compiles the code, does not count.</summary>
    public Figure Batch(int cpu, Func<double> batch, string source, bool waitsItsTurn = false)
    {
        var values = new List<double>();
        void Measure()
        {
            batch();
            while (!cancellationToken.IsCancellationRequested && GoesOn(values))
            {
                values.Add(batch());
            }
        }

        PinnedThread.Start(cpu, Measure, waitsItsTurn).Join();
        cancellationToken.ThrowIfCancellationRequested();
        return Figure.Median(values, source);
    }

    /// <summary>
    /// A figure that is a difference of several, of which each is measured anew each time: what the machine is like at the moment is then in all
    /// of them and mostly cancels out. The median of the differences, which goes on until its interval is narrow.
    /// </summary>
    public Figure Settle(Func<Sampler, Figure> difference)
    {
        var brief = new Sampler(BatchesMin, cancellationToken) { _isBrief = true };
        var values = new List<double>();
        Figure last;
        do
        {
            cancellationToken.ThrowIfCancellationRequested();
            last = difference(brief);
            values.Add(last.Nanos);
        }
        while (GoesOn(values));
        return Figure.Median(values, last.Source);
    }

    /// <summary>Time between two readings of the clock.</summary>
    public static double Nanos(long start, long end) => (end - start) * (NanosPerSecond / Stopwatch.Frequency);

    /// <summary>Whether there are too few values yet, or a median that is not known well enough.</summary>
    private bool GoesOn(List<double> values) =>
        values.Count < batches || (!_isBrief && values.Count < RepeatsMax * batches && (values.Count % Step != 0 || Figure.Median(values, "").IsWide));

    /// <summary>Keeps the CPU busy for so long.</summary>
    public static void Burn(double nanos)
    {
        long start = Stopwatch.GetTimestamp();
        while (Nanos(start, Stopwatch.GetTimestamp()) < nanos)
        {
        }
    }
}
