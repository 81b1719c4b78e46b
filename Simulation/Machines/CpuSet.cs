using System.Numerics;

namespace Harness.Simulation.Machines;

/// <summary>A set of CPUs, by number; immutable.</summary>
public sealed class CpuSet
{
    readonly ulong[] words;

    CpuSet(ulong[] words)
    {
        this.words = words;
        Count = words.Sum(BitOperations.PopCount);
    }

    /// <summary>How many CPUs are in the set.</summary>
    public int Count { get; }

    /// <summary>The lowest-numbered CPU of the set, or −1 if it is empty.</summary>
    public int First
    {
        get
        {
            int word = Array.FindIndex(words, bits => bits != 0);
            return word < 0 ? -1 : 64 * word + BitOperations.TrailingZeroCount(words[word]);
        }
    }

    internal ReadOnlySpan<ulong> Words => words;

    /// <summary>The set of the given CPUs.</summary>
    public static CpuSet Of(params ReadOnlySpan<int> cpus)
    {
        int largest = -1;
        foreach (int cpu in cpus)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(cpu);
            largest = Math.Max(largest, cpu);
        }
        var words = new ulong[largest / 64 + 1];
        foreach (int cpu in cpus)
        {
            words[cpu / 64] |= 1UL << (cpu % 64);
        }
        return new CpuSet(words);
    }

    /// <summary>The set of <paramref name="count"/> CPUs from <paramref name="first"/> on.</summary>
    public static CpuSet Range(int first, int count) => Of(Enumerable.Range(first, count).ToArray());

    /// <summary>Whether the CPU is in the set.</summary>
    public bool Contains(int cpu) => (uint)cpu / 64 < (uint)words.Length && (words[cpu / 64] >> (cpu % 64) & 1) != 0;

    /// <summary>The set's members, in ascending order, as <c>0 2 3</c>.</summary>
    public override string ToString() => string.Join(' ', Enumerable.Range(0, 64 * words.Length).Where(Contains));
}
