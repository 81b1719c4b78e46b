using FsCheck;
using FsCheck.Fluent;
using Harness.Simulation.Chance;

namespace Harness.Tests.Simulation;

public sealed class SimRandomTests
{
    /// <summary>The reference implementation's output for seed 1234567 (prng.di.unimi.it, splitmix64.c).</summary>
    [Fact]
    public void SplitMixGivesThePublishedSequence()
    {
        ulong[] published = [6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431, 16408922859458223821];
        ulong state = 1234567;
        Assert.Equal(published, published.Select(_ => StableHash.Mix(state += StableHash.GoldenGamma)));
    }

    /// <summary>The reference implementation's output for the state 1, 2, 3, 4 (prng.di.unimi.it, xoshiro256starstar.c).</summary>
    [Fact]
    public void XoshiroGivesThePublishedSequence()
    {
        var random = new SimRandom(1, 2, 3, 4);
        ulong[] published =
        [
            11520, 0, 1509978240, 1215971899390074240, 1216172134540287360, 607988272756665600, 16172922978634559625, 8476171486693032832,
            10595114339597558777, 2904607092377533576,
        ];
        Assert.Equal(published, published.Select(_ => random.NextBits()));
    }

    [Fact]
    public void ATextsHashIsThePinnedOne()
    {
        // FNV-1a of nothing is its offset basis; what is pinned is that, mixed.
        Assert.Equal(StableHash.Mix(0xCBF29CE484222325), StableHash.OfText(""));
        Assert.Equal(15926885636643252880UL, StableHash.OfText("disk 3"));
    }

    [Fact]
    public void ASplitDependsOnTheSeedAndThePurposeAlone()
    {
        var untouched = new SimRandom(42);
        var drawnFrom = new SimRandom(42);
        for (int i = 0; i < 10; i++)
        {
            drawnFrom.NextBits();
        }
        drawnFrom.Split("network").NextBits();
        Assert.Equal(untouched.Split("disk 3").NextBits(), drawnFrom.Split("disk 3").NextBits());
        Assert.Equal(untouched.Split("disk", 3).NextBits(), drawnFrom.Split("disk", 3).NextBits());
    }

    [Fact]
    public void DifferentPurposesAndIndexesGiveDifferentSequences()
    {
        var root = new SimRandom(42);
        ulong[] firsts =
        [
            root.NextBits(), root.Split("").NextBits(), root.Split("disk 3").NextBits(), root.Split("disk 4").NextBits(),
            root.Split("disk", 3).NextBits(), root.Split("disk", 4).NextBits(), root.Split("disk").Split("3").NextBits(),
            new SimRandom(43).Split("disk 3").NextBits(),
        ];
        Assert.Equal(firsts.Length, firsts.Distinct().Count());
    }

    [Fact]
    public void EveryRangeIsKept() => Check.One(
        Config.QuickThrowOnFailure.WithMaxTest(500),
        Prop.ForAll<DoNotSize<ulong>, DoNotSize<int>, DoNotSize<int>>(KeepsEveryRange));

    static bool KeepsEveryRange(DoNotSize<ulong> seed, DoNotSize<int> a, DoNotSize<int> b)
    {
        var random = new SimRandom(seed.Item);
        int low = Math.Min(a.Item, b.Item), high = Math.Max(a.Item, b.Item);
        int drawn = random.Next(low, high);
        long longLow = long.MinValue + Math.Abs((long)low), longHigh = long.MaxValue - Math.Abs((long)high);
        long longDrawn = random.NextInt64(longLow, longHigh);
        double unit = random.NextDouble();
        float single = random.NextSingle();
        return (low == high ? drawn == low : drawn >= low && drawn < high)
            && longDrawn >= longLow && longDrawn < longHigh
            && unit is >= 0 and < 1 && single is >= 0 and < 1 && random.Next(1) == 0 && random.Next() is >= 0 and < int.MaxValue;
    }

    [Fact]
    public void ASmallRangeIsDrawnEvenly()
    {
        // Chi-squared with 9 degrees of freedom: 27.9 is exceeded by chance once in a thousand seeds; this seed does not.
        var random = new SimRandom(3);
        var counts = new int[10];
        const int draws = 100_000;
        for (int i = 0; i < draws; i++)
        {
            counts[random.Next(10)]++;
        }
        double expected = draws / 10.0;
        Assert.InRange(counts.Sum(count => (count - expected) * (count - expected) / expected), 0, 27.9);
    }

    [Fact]
    public void BytesAreTheSameHoweverTheyAreAskedFor()
    {
        var array = new byte[21];
        new SimRandom(9).NextBytes(array);
        Span<byte> span = stackalloc byte[21];
        new SimRandom(9).NextBytes(span);
        Assert.Equal(array, span.ToArray());
        Assert.Equal(array[..8], BitConverter.GetBytes(new SimRandom(9).NextBits()));
    }

    [Fact]
    public void TheFrameworksOwnShuffleIsDeterminedToo()
    {
        int[] first = [.. Enumerable.Range(0, 20)], second = [.. Enumerable.Range(0, 20)];
        new SimRandom(5).Shuffle(first);
        new SimRandom(5).Shuffle(second);
        Assert.Equal(first, second);
        Assert.NotEqual(first, Enumerable.Range(0, 20));
    }

    [Fact]
    public void ChanceIsNeverAtZeroAndAlwaysAtOne()
    {
        var random = new SimRandom(1);
        for (int i = 0; i < 1000; i++)
        {
            Assert.False(random.Chance(0));
            Assert.True(random.Chance(1));
        }
    }
}
