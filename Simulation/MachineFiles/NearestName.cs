namespace Harness.Simulation.MachineFiles;

/// <summary>What somebody probably meant who wrote a name that does not exist.</summary>
static class NearestName
{
    /// <summary>A sentence that names the nearest of the allowed names if one is near, else all of them.</summary>
    public static string Suggest(string name, IReadOnlyCollection<string> allowed)
    {
        string? nearest = allowed.MinBy(candidate => Distance(name, candidate));
        return nearest is not null && Distance(name, nearest) <= Math.Max(2, name.Length / 2)
            ? $"Did you mean '{nearest}'?"
            : $"Allowed: {string.Join(", ", allowed.Distinct())}.";
    }

    /// <summary>How many letters have to be put in, left out or changed, case not counted (Levenshtein's distance).</summary>
    static int Distance(string from, string to)
    {
        int[] row = [.. Enumerable.Range(0, to.Length + 1)];
        for (int i = 1; i <= from.Length; i++)
        {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= to.Length; j++)
            {
                int change = diagonal + (char.ToLowerInvariant(from[i - 1]) == char.ToLowerInvariant(to[j - 1]) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(change, Math.Min(row[j - 1], row[j]) + 1);
            }
        }
        return row[^1];
    }
}
