namespace Harness.Results.Records;

/// <summary>
/// One factor of an experiment and the value it had in a trial, as <c>max_write = 1048576</c>. The name becomes a column of results.csv, so
/// it is kept in a form that pandas and R both take as a column name without renaming: lower-case letters, digits and underscores.
/// </summary>
public readonly record struct Factor
{
    /// <summary>Names a factor's value.</summary>
    /// <param name="name">Any case; what is no letter or digit becomes an underscore (<c>max-write</c>: <c>max_write</c>).</param>
    /// <param name="value">Not empty. Give sizes in plain bytes and times in one unit, so that the column reads as numbers.</param>
    /// <exception cref="ArgumentException">The name has no letter or digit, or the value is empty.</exception>
    public Factor(string name, string value)
    {
        ArgumentException.ThrowIfNullOrEmpty(value);
        Name = string.Create(name.Length, name, static (column, name) =>
        {
            for (int i = 0; i < name.Length; i++)
            {
                column[i] = char.IsAsciiLetterOrDigit(name[i]) ? char.ToLowerInvariant(name[i]) : '_';
            }
        });
        if (Name.All(c => c == '_'))
        {
            throw new ArgumentException($"the factor name '{name}' has no letter or digit; give it a name like max_write", nameof(name));
        }
        Value = value;
    }

    /// <summary>Lower-case letters, digits and underscores.</summary>
    public string Name { get; }

    /// <summary>The value in the trial, never empty: an empty cell of results.csv means that the experiment lacks the factor.</summary>
    public string Value { get; }
}
