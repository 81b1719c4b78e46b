using System.Diagnostics.CodeAnalysis;
using System.Text;
using Harness.FuseProtocol.Wire;

namespace Harness.FuseProtocol;

/// <summary>Who decides whether an INIT flag is asked for.</summary>
public enum InitFlagSetter
{
    /// <summary>The user, by the flag's own name; a file system may want it too.</summary>
    User,

    /// <summary>The session itself, always: it could not do without.</summary>
    Session,

    /// <summary>Another option, such as the message size or the channel, which the row's text names.</summary>
    Option,

    /// <summary>The kernel alone: it tells what it can do, and does not look at the answer.</summary>
    Kernel,

    /// <summary>Nobody: reserved, never finished, or of no use on a device.</summary>
    Nobody,
}

/// <summary>What there is to know of an INIT flag.</summary>
/// <param name="Flag">The flag.</param>
/// <param name="Name">Its name as an option, in lower case with hyphens.</param>
/// <param name="Minor">The minor version of protocol 7 that brought it.</param>
/// <param name="SetBy">Who decides about it.</param>
/// <param name="Effect">One sentence: what it does to the kernel.</param>
public sealed record InitFlagRow(InitFlags Flag, string Name, int Minor, InitFlagSetter SetBy, string Effect);

/// <summary>The INIT flags by the names that options, configuration files and reports use.</summary>
public static partial class InitFlagNames
{
    /// <summary>Edits up to which a misspelt name is taken for another.</summary>
    private const int SuggestionEditsMax = 4;

    /// <summary>Every flag of the protocol, by bit.</summary>
    public static IReadOnlyList<InitFlagRow> All => s_rows;

    /// <summary>The row of one flag.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Not exactly one flag of the protocol.</exception>
    public static InitFlagRow Row(InitFlags flag) =>
        s_rows.FirstOrDefault(row => row.Flag == flag) ?? throw new ArgumentOutOfRangeException(nameof(flag), flag, "no single INIT flag");

    /// <summary>Names joined by blanks, in the order of bits; bits without a name as one number.</summary>
    public static string Format(InitFlags flags)
    {
        IEnumerable<string> names = s_rows.Where(row => (flags & row.Flag) != 0).Select(row => row.Name);
        InitFlags unnamed = s_rows.Aggregate(flags, (rest, row) => rest & ~row.Flag);
        return string.Join(' ', unnamed == 0 ? names : names.Append($"0x{(ulong)unnamed:x}"));
    }

    /// <summary>Reads the name of a flag that the user may switch.</summary>
    /// <param name="name">Such as <c>async-dio</c>.</param>
    /// <param name="flag">The flag.</param>
    /// <param name="error">A sentence that says what is wrong and what is allowed.</param>
    public static bool TryParse(string name, out InitFlags flag, [NotNullWhen(false)] out string? error)
    {
        InitFlagRow? row = s_rows.FirstOrDefault(row => row.Name == name);
        flag = row?.Flag ?? InitFlags.None;
        error = row switch
        {
            null => Unknown(name),
            { SetBy: InitFlagSetter.User } => null,
            _ => $"The INIT flag '{name}' is not for the user to switch: {row.Effect}",
        };
        return error is null;
    }

    /// <summary>Reads a switch: a name turns the flag on, and <c>no-</c> before it off.</summary>
    /// <param name="word">Such as <c>async-dio</c> or <c>no-async-dio</c>; <c>no-open-support</c> is a flag's own name.</param>
    /// <param name="flag">The flag.</param>
    /// <param name="on">Whether it is switched on.</param>
    /// <param name="error">A sentence that says what is wrong and what is allowed.</param>
    public static bool TryParseSwitch(string word, out InitFlags flag, out bool on, [NotNullWhen(false)] out string? error)
    {
        const string Off = "no-";
        on = !word.StartsWith(Off, StringComparison.Ordinal) || s_rows.Any(row => row.Name == word);
        return TryParse(on ? word : word[Off.Length..], out flag, out error);
    }

    /// <summary>A table of all flags, for people: name, minor version, who sets it, default, and what it does.</summary>
    public static string Table()
    {
        int width = s_rows.Max(row => row.Name.Length);
        var text = new StringBuilder();
        foreach (InitFlagRow row in s_rows)
        {
            string set = row.SetBy == InitFlagSetter.User
                ? (SessionOptions.Default & row.Flag) != 0 ? "on" : "off"
                : $"({row.SetBy.ToString().ToLowerInvariant()})";
            text.Append($"{row.Name.PadRight(width)}  7.{row.Minor,-2}  {set,-9}  {row.Effect}\n");
        }

        return text.ToString();
    }

    private static string Unknown(string name)
    {
        (string nearest, int edits) = s_rows.Where(row => row.SetBy == InitFlagSetter.User)
            .Select(row => (row.Name, Edits: Edits(name, row.Name)))
            .MinBy(candidate => candidate.Edits);
        return edits <= SuggestionEditsMax
            ? $"There is no INIT flag '{name}'; did you mean '{nearest}'?"
            : $"There is no INIT flag '{name}'. There are: {string.Join(", ", Switchable())}.";
    }

    private static IEnumerable<string> Switchable() =>
        s_rows.Where(row => row.SetBy == InitFlagSetter.User).Select(row => row.Name);

    /// <summary>How many letters must be put in, taken out or changed to make one word of the other (Levenshtein 1965).</summary>
    private static int Edits(string from, string to)
    {
        int[] previous = [.. Enumerable.Range(0, to.Length + 1)];
        int[] current = new int[to.Length + 1];
        for (int i = 0; i < from.Length; i++)
        {
            current[0] = i + 1;
            for (int j = 0; j < to.Length; j++)
            {
                int change = previous[j] + (from[i] == to[j] ? 0 : 1);
                current[j + 1] = Math.Min(change, Math.Min(previous[j + 1], current[j]) + 1);
            }

            (previous, current) = (current, previous);
        }

        return previous[to.Length];
    }
}
