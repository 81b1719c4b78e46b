using Harness.Experiments.Mounting;
using Harness.Experiments.Plan;
using Harness.Experiments.Plan.Values;

namespace Harness.Experiments.Commands;

/// <summary>All options of a mount, for <c>./harness mount --options</c>.</summary>
internal static class OptionList
{
    private const int EffectColumn = 42;
    private const int WidthMax = 120;

    /// <summary>Prints the list.</summary>
    public static void Print(TextWriter writer)
    {
        writer.WriteLine("Every option can be given as --NAME VALUE (a switch as --NAME or --no-NAME), or as a word of -o: NAME=VALUE, NAME, no-NAME.");
        writer.WriteLine();
        foreach (Knob knob in Knobs.All)
        {
            string value = knob.Kind is SwitchKind ? "on|off" : knob.Unit.Length > 0 ? knob.Unit : "word";
            Entry(writer, $"{knob.Name} ({value}, default {knob.Default(KnobSettings.None)})", knob.Effect);
        }

        writer.WriteLine();
        writer.WriteLine("Words of -o alone, as in mount(8) and mount.fuse3(8):");
        writer.WriteLine();
        foreach ((string word, string effect) in MountWords.Descriptions)
        {
            Entry(writer, word, effect);
        }
    }

    private static void Entry(TextWriter writer, string head, string effect)
    {
        writer.Write($"  {head}");
        if (head.Length + 4 > EffectColumn)
        {
            writer.WriteLine();
            writer.Write(new string(' ', EffectColumn));
        }
        else
        {
            writer.Write(new string(' ', EffectColumn - head.Length - 2));
        }

        int column = EffectColumn;
        foreach (string word in effect.Split(' '))
        {
            if (column + word.Length > WidthMax)
            {
                writer.WriteLine();
                writer.Write(new string(' ', EffectColumn));
                column = EffectColumn;
            }

            writer.Write($"{word} ");
            column += word.Length + 1;
        }

        writer.WriteLine();
    }
}
