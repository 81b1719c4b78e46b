using System.Numerics;

namespace Harness.Experiments.Observing;

/// <summary>
/// Buckets for latencies in nanoseconds, as HdrHistogram lays them out: sixteen to each power of two, so that every bucket is at most a
/// sixteenth of its value wide, whatever the size. An array of counts is the whole histogram; to merge two, add them up.
/// </summary>
internal static class LatencyBuckets
{
    private const int SubBits = 4;
    private const int SubCount = 1 << SubBits;

    /// <summary>Latencies from 2^36 ns (69 s) on share the last bucket.</summary>
    private const int ExponentMax = 36;

    /// <summary>How many buckets there are: 528, or 4 KiB of counts.</summary>
    public const int Count = SubCount * (ExponentMax - SubBits + 1);

    /// <summary>The bucket of a latency.</summary>
    public static int IndexOf(long nanos)
    {
        if (nanos < SubCount)
        {
            return (int)Math.Max(0, nanos);
        }

        int shift = BitOperations.Log2((ulong)nanos) - SubBits;
        return Math.Min(Count - 1, (shift << SubBits) + (int)(nanos >> shift));
    }

    /// <summary>The least latency of a bucket.</summary>
    public static long LowerBound(int index)
    {
        int shift = Math.Max(0, (index >> SubBits) - 1);
        return (long)(index - (shift << SubBits)) << shift;
    }

    /// <summary>The latency that stands for a bucket: its middle, which is off by 1/32 of its value at most.</summary>
    public static long Middle(int index) => (LowerBound(index) + LowerBound(index + 1) - 1) / 2;

    /// <summary>The latency that a share of those counted did not exceed; 0 where none was counted.</summary>
    /// <param name="counts">Counts by bucket.</param>
    /// <param name="percentile">From 0 to 100.</param>
    public static long Percentile(ReadOnlySpan<long> counts, double percentile)
    {
        long total = 0;
        foreach (long count in counts)
        {
            total += count;
        }

        long rank = Math.Max(1, (long)Math.Ceiling(percentile / 100 * total));
        for (int i = 0; i < counts.Length; i++)
        {
            rank -= counts[i];
            if (rank <= 0)
            {
                return Middle(i);
            }
        }

        return 0;
    }

    /// <summary>The mean; 0 where none was counted.</summary>
    public static double Mean(ReadOnlySpan<long> counts)
    {
        double sum = 0;
        long total = 0;
        for (int i = 0; i < counts.Length; i++)
        {
            sum += (double)counts[i] * Middle(i);
            total += counts[i];
        }

        return total == 0 ? 0 : sum / total;
    }
}
