namespace Harness.Experiments.Plan;

/// <summary>
/// Chooses points from the grid of all combinations of levels. A point holds one level index per factor; the baseline comes first
/// and no point twice.
/// </summary>
internal abstract record Design
{
    /// <summary>
    /// The most configurations of one experiment. At one second a trial and three blocks these take over three hours for one workload.
    /// </summary>
    public const int ConfigurationsMax = 4096;

    /// <summary>The design's name in a plan.</summary>
    public abstract string Name { get; }

    /// <summary>How many points it chooses.</summary>
    public abstract long Count(IReadOnlyList<Factor> factors);

    /// <summary>The points; <paramref name="random"/> is drawn from only by designs that leave to chance which.</summary>
    public abstract IEnumerable<int[]> Points(IReadOnlyList<Factor> factors, Random random);

    /// <summary>How many combinations of levels there are; fewer than 2^63, since levels and knobs are few.</summary>
    public static long GridSize(IReadOnlyList<Factor> factors) => factors.Aggregate(1L, (size, factor) => size * factor.Levels.Count);

    private protected static int[] Baseline(IReadOnlyList<Factor> factors) => [.. factors.Select(factor => factor.BaselineLevel)];

    /// <summary>The point at an index of the grid, the last factor varying fastest.</summary>
    private protected static int[] PointAt(long index, IReadOnlyList<Factor> factors)
    {
        var point = new int[factors.Count];
        for (int factor = factors.Count - 1; factor >= 0; factor--)
        {
            (index, long level) = Math.DivRem(index, factors[factor].Levels.Count);
            point[factor] = (int)level;
        }

        return point;
    }
}

/// <summary>Every combination of levels.</summary>
internal sealed record FullFactorial : Design
{
    public override string Name => "full-factorial";

    public override long Count(IReadOnlyList<Factor> factors) => GridSize(factors);

    public override IEnumerable<int[]> Points(IReadOnlyList<Factor> factors, Random random)
    {
        int[] baseline = Baseline(factors);
        yield return baseline;
        for (long index = 0; index < GridSize(factors); index++)
        {
            int[] point = PointAt(index, factors);
            if (!point.SequenceEqual(baseline))
            {
                yield return point;
            }
        }
    }
}

/// <summary>
/// One optimization after another: from the baseline, each factor in the plan's order passes through its other levels and keeps the
/// last, so that each step shows what it adds to those before.
/// </summary>
internal sealed record Ladder : Design
{
    public override string Name => "ladder";

    public override long Count(IReadOnlyList<Factor> factors) => 1 + factors.Sum(factor => factor.Levels.Count - 1L);

    public override IEnumerable<int[]> Points(IReadOnlyList<Factor> factors, Random random)
    {
        int[] point = Baseline(factors);
        yield return point;
        for (int factor = 0; factor < factors.Count; factor++)
        {
            for (int level = 0; level < factors[factor].Levels.Count; level++)
            {
                if (level != factors[factor].BaselineLevel)
                {
                    point = [.. point];
                    point[factor] = level;
                    yield return point;
                }
            }
        }
    }
}

/// <summary>The baseline, and each other level of each factor alone.</summary>
internal sealed record OneAtATime : Design
{
    public override string Name => "one-at-a-time";

    public override long Count(IReadOnlyList<Factor> factors) => 1 + factors.Sum(factor => factor.Levels.Count - 1L);

    public override IEnumerable<int[]> Points(IReadOnlyList<Factor> factors, Random random)
    {
        yield return Baseline(factors);
        for (int factor = 0; factor < factors.Count; factor++)
        {
            for (int level = 0; level < factors[factor].Levels.Count; level++)
            {
                if (level != factors[factor].BaselineLevel)
                {
                    int[] point = Baseline(factors);
                    point[factor] = level;
                    yield return point;
                }
            }
        }
    }
}

/// <summary>The baseline, and others drawn without replacement from all combinations of levels, in the grid's order.</summary>
/// <param name="Size">How many in all, the baseline included; at most the size of the grid.</param>
internal sealed record RandomSubset(int Size) : Design
{
    public override string Name => "random-subset";

    public override long Count(IReadOnlyList<Factor> factors) => Size;

    public override IEnumerable<int[]> Points(IReadOnlyList<Factor> factors, Random random)
    {
        int[] baseline = Baseline(factors);
        long grid = GridSize(factors);
        long baselineIndex = 0;
        for (int factor = 0; factor < factors.Count; factor++)
        {
            baselineIndex = (baselineIndex * factors[factor].Levels.Count) + baseline[factor];
        }

        // Floyd's sampling (Bentley and Floyd 1987, "A sample of brilliance") of Size - 1 of the grid's other indices: one draw
        // each, however large the grid is. Indices from the baseline's on are those of their successors.
        var drawn = new SortedSet<long>();
        for (long last = grid - Size; last < grid - 1; last++)
        {
            long candidate = random.NextInt64(last + 1);
            drawn.Add(drawn.Contains(candidate) ? last : candidate);
        }

        return [baseline, .. drawn.Select(index => PointAt(index < baselineIndex ? index : index + 1, factors))];
    }
}
