using System.Numerics;

namespace Harness.Simulation.Chance;

/// <summary>Hashes that are the same in every process, on every machine and in every version of the run-time.</summary>
/// <remarks><see cref="object.GetHashCode"/> of a string is salted per process, so nothing in simulation may depend on it.</remarks>
public static class StableHash
{
    /// <summary>The increment of SplitMix64's counter: the odd integer nearest to 2⁶⁴ divided by the golden ratio.</summary>
    internal const ulong GoldenGamma = 0x9E3779B97F4A7C15;

    /// <summary>Spreads each bit of <paramref name="value"/> over the whole word; a bijection.</summary>
    /// <remarks>
    /// The output function of SplitMix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014), with the
    /// constants of Stafford's variant 13.
    /// </remarks>
    public static ulong Mix(ulong value)
    {
        value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
        value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
        return value ^ (value >> 31);
    }

    /// <summary>Mixes two words into one; the order of the two matters.</summary>
    public static ulong Mix(ulong first, ulong second) => Mix(Mix(first + GoldenGamma) ^ (second * GoldenGamma));

    /// <summary>FNV-1a over the text's UTF-16 code units, low byte first, then mixed.</summary>
    /// <remarks>Fowler, Noll, Vo: draft-eastlake-fnv. FNV alone leaves the high bits of short texts alike, hence the mixing.</remarks>
    public static ulong OfText(ReadOnlySpan<char> text)
    {
        const ulong offsetBasis = 0xCBF29CE484222325;
        const ulong prime = 0x00000100000001B3;
        ulong hash = offsetBasis;
        foreach (char unit in text)
        {
            hash = (hash ^ (byte)unit) * prime;
            hash = (hash ^ (byte)(unit >> 8)) * prime;
        }
        return Mix(hash);
    }

    /// <summary>Folds one more word into a running hash of a sequence.</summary>
    /// <remarks>For a given word a bijection of the hash and the other way round, so one changed word never goes unseen.</remarks>
    internal static ulong Fold(ulong hash, ulong word) => BitOperations.RotateLeft(hash ^ word, 27) * GoldenGamma + 0x52DCE729;
}
