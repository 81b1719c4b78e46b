using System.Text;

namespace Harness.Results.Statistics;

/// <summary>Where resampling draws from: every cell has a generator of its own, so that its interval depends on no other cell.</summary>
internal static class Chance
{
    /// <summary>The generator that a seed and a cell's names give, by their FNV-1a hash, the same in every process.</summary>
    public static Random For(long seed, params ReadOnlySpan<string> names)
    {
        const ulong offsetBasis = 14695981039346656037;
        const ulong prime = 1099511628211;
        ulong hash = offsetBasis;
        foreach (byte octet in Encoding.UTF8.GetBytes($"{seed}\0{string.Join('\0', names)}"))
        {
            hash = (hash ^ octet) * prime;
        }
        return new Random((int)(hash ^ (hash >> 32)));
    }
}
