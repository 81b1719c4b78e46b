namespace Harness.Experiments.Plan.Values;

/// <summary>Finds the known name that a mistyped one most likely meant.</summary>
internal static class NearestName
{
    // Names here are short; a longer one is no typing error, and the distance costs the product of both lengths.
    private const int LengthMax = 64;

    /// <summary>The nearest name within a third of its length in typing errors, and at least two; null if none is near.</summary>
    public static string? Of(string wrong, IEnumerable<string> known)
    {
        if (wrong.Length > LengthMax)
        {
            return null;
        }

        string folded = Fold(wrong);
        return known
            .Select(name => (name, distance: Distance(folded, Fold(name))))
            .Where(candidate => candidate.distance <= Math.Min(Math.Max(2, candidate.name.Length / 3), candidate.name.Length - 1))
            .OrderBy(candidate => candidate.distance)
            .Select(candidate => candidate.name)
            .FirstOrDefault();
    }

    /// <summary>"; did you mean 'threads'?" or nothing.</summary>
    public static string Hint(string wrong, IEnumerable<string> known) => Of(wrong, known) is { } name ? $"; did you mean '{name}'?" : "";

    // fio writes underscores where the knobs have hyphens; the mistake should cost nothing.
    private static string Fold(string name) => name.ToLowerInvariant().Replace('_', '-');

    // Optimal string alignment (Damerau 1964, without moves across an edit): insert, delete, replace, or swap neighbours.
    private static int Distance(string left, string right)
    {
        int[,] cost = new int[left.Length + 1, right.Length + 1];
        for (int i = 0; i <= left.Length; i++)
        {
            for (int j = 0; j <= right.Length; j++)
            {
                if (i == 0 || j == 0)
                {
                    cost[i, j] = i + j;
                    continue;
                }

                int replaced = cost[i - 1, j - 1] + (left[i - 1] == right[j - 1] ? 0 : 1);
                cost[i, j] = Math.Min(replaced, 1 + Math.Min(cost[i - 1, j], cost[i, j - 1]));
                if (i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1])
                {
                    cost[i, j] = Math.Min(cost[i, j], 1 + cost[i - 2, j - 2]);
                }
            }
        }

        return cost[left.Length, right.Length];
    }
}
