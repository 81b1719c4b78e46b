using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;

namespace Harness.Experiments.Plan;

/// <summary>Each INIT flag that a user may switch, as a knob of the flag's own name.</summary>
internal static partial class Knobs
{
    /// <summary>The flags that have a knob of their own above, under a shorter name or with more to say.</summary>
    private const InitFlags NamedAbove = InitFlags.AsyncDio | InitFlags.WritebackCache | InitFlags.Passthrough;

    /// <summary>The knobs by their flags. One that is not set leaves the choice to the file system and the session.</summary>
    public static IReadOnlyDictionary<InitFlags, Knob> InitFlagKnobs { get; } = InitFlagNames.All
        .Where(row => row.SetBy == InitFlagSetter.User && (row.Flag & NamedAbove) == 0)
        .ToDictionary(row => row.Flag, row => Switch(row.Name, (SessionOptions.Default & row.Flag) != 0, Sentence(row)));

    private static string Sentence(InitFlagRow row) =>
        $"FUSE_{row.Name.Replace('-', '_').ToUpperInvariant()} (7.{row.Minor}), unless set as the file system wants: {row.Effect}";
}
