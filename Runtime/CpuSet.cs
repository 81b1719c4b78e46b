using System.Globalization;
using System.Numerics;
using System.Text;

namespace Harness.Runtime;

/// <summary>A set of CPU or node numbers, as the kernel writes it: <c>0-3,8,10-11</c> (Documentation/admin-guide/cputopology.rst).</summary>
public sealed class CpuSet : IEquatable<CpuSet>
{
    /// <summary>The highest number accepted, far above CONFIG_NR_CPUS of any distribution.</summary>
    public const int NumberMax = 65535;

    private readonly SortedSet<int> _numbers;

    /// <summary>The set of these numbers.</summary>
    public CpuSet(IEnumerable<int> numbers) => _numbers = [.. numbers];

    /// <summary>How many there are.</summary>
    public int Count => _numbers.Count;

    /// <summary>The numbers, ascending.</summary>
    public IReadOnlyCollection<int> Numbers => _numbers;

    /// <summary>Whether a number is in the set.</summary>
    public bool Contains(int number) => _numbers.Contains(number);

    /// <summary>Reads a list such as <c>0-3,8</c>; an empty text is the empty set.</summary>
    /// <exception cref="FormatException">It is no such list.</exception>
    public static CpuSet Parse(string text)
    {
        var numbers = new SortedSet<int>();
        foreach (string range in text.Trim().Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            string[] ends = range.Split('-');
            if (ends.Length > 2 || !TryNumber(ends[0], out int first) || !TryNumber(ends[^1], out int last) || last < first)
            {
                throw new FormatException($"\"{text.Trim()}\" is no list of numbers such as 0-3,8.");
            }

            for (int number = first; number <= last; number++)
            {
                numbers.Add(number);
            }
        }

        return new CpuSet(numbers);
    }

    /// <summary>The set as a bit mask of 64-bit words, lowest first, as sched_setaffinity(2) and mbind(2) take it.</summary>
    public ulong[] ToMask()
    {
        var mask = new ulong[(_numbers.Count == 0 ? 0 : _numbers.Max / 64) + 1];
        foreach (int number in _numbers)
        {
            mask[number / 64] |= 1UL << (number % 64);
        }

        return mask;
    }

    /// <summary>The set that a bit mask stands for.</summary>
    public static CpuSet FromMask(ReadOnlySpan<ulong> mask)
    {
        var numbers = new List<int>();
        for (int word = 0; word < mask.Length; word++)
        {
            for (ulong bits = mask[word]; bits != 0; bits &= bits - 1)
            {
                numbers.Add((word * 64) + BitOperations.TrailingZeroCount(bits));
            }
        }

        return new CpuSet(numbers);
    }

    /// <inheritdoc/>
    public override string ToString()
    {
        var text = new StringBuilder();
        int? first = null;
        int last = 0;
        void Flush()
        {
            if (first is int start)
            {
                text.Append(text.Length > 0 ? "," : string.Empty).Append(CultureInfo.InvariantCulture, $"{start}");
                text.Append(last > start ? $"-{last}" : string.Empty);
            }
        }

        foreach (int number in _numbers)
        {
            if (first is null || number != last + 1)
            {
                Flush();
                first = number;
            }

            last = number;
        }

        Flush();
        return text.ToString();
    }

    /// <inheritdoc/>
    public bool Equals(CpuSet? other) => other is not null && _numbers.SetEquals(other._numbers);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as CpuSet);

    /// <inheritdoc/>
    public override int GetHashCode() => _numbers.Aggregate(17, HashCode.Combine);

    private static bool TryNumber(string text, out int number) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number) && number <= NumberMax;
}
