using System.Buffers.Binary;
using System.Numerics;

namespace Harness.Simulation.Chance;

/// <summary>
/// A seeded generator that can be split by purpose: <c>seed.Split("disk 3")</c> depends on the seed and on the purpose alone, so one more
/// draw here, or one more purpose there, shifts no other sequence.
/// </summary>
/// <remarks>
/// xoshiro256** (Blackman and Vigna, "Scrambled linear pseudorandom number generators", ACM TOMS 47, 2021), its state filled by SplitMix64
/// as its authors advise. All results are made of integer operations and of one exact conversion to floating point, so they are the same
/// on any machine. It overrides every virtual method of <see cref="Random"/>, whose own algorithm is not part of its contract.
/// </remarks>
public sealed class SimRandom : Random
{
    readonly ulong identity;
    ulong s0, s1, s2, s3;

    /// <summary>The generator of <paramref name="seed"/>. The same seed gives the same sequence, for ever.</summary>
    public SimRandom(ulong seed)
        : base(0)
    {
        identity = seed;
        s0 = StableHash.Mix(seed += StableHash.GoldenGamma);
        s1 = StableHash.Mix(seed += StableHash.GoldenGamma);
        s2 = StableHash.Mix(seed += StableHash.GoldenGamma);
        s3 = StableHash.Mix(seed + StableHash.GoldenGamma);
    }

    /// <summary>The generator in a given state, of which one word must not be 0.</summary>
    internal SimRandom(ulong s0, ulong s1, ulong s2, ulong s3)
        : base(0) => (this.s0, this.s1, this.s2, this.s3) = (s0, s1, s2, s3);

    /// <summary>The seed this generator was made from: what a failing test prints.</summary>
    public ulong Seed => identity;

    /// <summary>An independent generator for <paramref name="purpose"/>. Draws nothing from this one.</summary>
    public SimRandom Split(ReadOnlySpan<char> purpose) => new(StableHash.Mix(identity, StableHash.OfText(purpose)));

    /// <summary>An independent generator for the thing numbered <paramref name="index"/> among those of one purpose.</summary>
    public SimRandom Split(ReadOnlySpan<char> purpose, long index) =>
        new(StableHash.Mix(StableHash.Mix(identity, StableHash.OfText(purpose)), (ulong)index));

    /// <summary>The next 64 random bits.</summary>
    public ulong NextBits()
    {
        ulong result = BitOperations.RotateLeft(s1 * 5, 7) * 9;
        ulong t = s1 << 17;
        s2 ^= s0;
        s3 ^= s1;
        s1 ^= s2;
        s0 ^= s3;
        s2 ^= t;
        s3 = BitOperations.RotateLeft(s3, 45);
        return result;
    }

    /// <summary>True with the given probability; never at 0, always at 1.</summary>
    public bool Chance(double probability) => NextDouble() < probability;

    /// <inheritdoc/>
    public override int Next() => (int)Below(int.MaxValue);

    /// <inheritdoc/>
    public override int Next(int maxValue)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(maxValue);
        return (int)Below((ulong)maxValue);
    }

    /// <inheritdoc/>
    public override int Next(int minValue, int maxValue)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(minValue, maxValue);
        return (int)(minValue + (long)Below((ulong)((long)maxValue - minValue)));
    }

    /// <inheritdoc/>
    public override long NextInt64() => (long)Below(long.MaxValue);

    /// <inheritdoc/>
    public override long NextInt64(long maxValue)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(maxValue);
        return (long)Below((ulong)maxValue);
    }

    /// <inheritdoc/>
    public override long NextInt64(long minValue, long maxValue)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(minValue, maxValue);
        return minValue + (long)Below((ulong)maxValue - (ulong)minValue);
    }

    /// <inheritdoc/>
    public override double NextDouble() => (NextBits() >> 11) * (1.0 / (1L << 53));

    /// <inheritdoc/>
    public override float NextSingle() => (NextBits() >> 40) * (1.0f / (1 << 24));

    /// <inheritdoc/>
    public override void NextBytes(byte[] buffer)
    {
        ArgumentNullException.ThrowIfNull(buffer);
        NextBytes(buffer.AsSpan());
    }

    /// <inheritdoc/>
    public override void NextBytes(Span<byte> buffer)
    {
        for (; buffer.Length >= sizeof(ulong); buffer = buffer[sizeof(ulong)..])
        {
            BinaryPrimitives.WriteUInt64LittleEndian(buffer, NextBits());
        }
        ulong rest = buffer.IsEmpty ? 0 : NextBits();
        for (int i = 0; i < buffer.Length; i++)
        {
            buffer[i] = (byte)(rest >> (8 * i));
        }
    }

    /// <inheritdoc/>
    protected override double Sample() => NextDouble();

    /// <summary>Uniform in [0, bound); 0 if the bound is 0 or 1, and then nothing is drawn.</summary>
    /// <remarks>
    /// Lemire, "Fast random integer generation in an interval", ACM TOMACS 29, 2019: without bias, almost never a division.
    /// </remarks>
    ulong Below(ulong bound)
    {
        if (bound <= 1)
        {
            return 0;
        }
        ulong high = Math.BigMul(NextBits(), bound, out ulong low);
        if (low < bound)
        {
            ulong threshold = (0 - bound) % bound;
            while (low < threshold)
            {
                high = Math.BigMul(NextBits(), bound, out low);
            }
        }
        return high;
    }
}
