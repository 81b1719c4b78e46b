using System.CommandLine;
using Harness.Experiments.Plan;
using Harness.Experiments.Plan.Values;

namespace Harness.Experiments.Commands;

/// <summary>The table of knobs as command-line options: <c>--NAME VALUE</c>, or <c>--NAME</c> and <c>--no-NAME</c> for a switch.</summary>
internal sealed class KnobOptions
{
    private readonly List<(Knob Knob, Option<string?>? Value, Option<bool>? On, Option<bool>? Off)> _options = [];

    /// <summary>Adds the options of all knobs to a command.</summary>
    public KnobOptions(Command command)
    {
        foreach (Knob knob in Knobs.All)
        {
            if (knob.Kind is SwitchKind)
            {
                bool onByDefault = knob.Default(KnobSettings.None).Number == 1;
                var on = new Option<bool>($"--{knob.Name}") { Description = Describe(knob), Hidden = onByDefault };
                var off = new Option<bool>($"--no-{knob.Name}") { Description = $"Without {Describe(knob)}", Hidden = !onByDefault };
                command.Add(on);
                command.Add(off);
                _options.Add((knob, null, on, off));
            }
            else
            {
                var value = new Option<string?>($"--{knob.Name}")
                {
                    Description = $"{Describe(knob)} (default {knob.Default(KnobSettings.None)})",
                    HelpName = knob.Kind.Expectation,
                };
                command.Add(value);
                _options.Add((knob, value, null, null));
            }
        }
    }

    /// <summary>The knobs that the command line sets.</summary>
    /// <exception cref="BadArgumentsException">A value is not of its knob's kind.</exception>
    public KnobSettings Read(ParseResult parsed)
    {
        KnobSettings settings = KnobSettings.None;
        foreach ((Knob knob, Option<string?>? value, Option<bool>? on, Option<bool>? off) in _options)
        {
            string? text = value is not null ? parsed.GetValue(value) : Switch(knob, parsed.GetValue(on!), parsed.GetValue(off!));
            if (text is not null)
            {
                settings = settings.With(knob, Parse(knob, text));
            }
        }

        return settings;
    }

    private static string? Switch(Knob knob, bool on, bool off) => (on, off) switch
    {
        (true, true) => throw new BadArgumentsException($"--{knob} and --no-{knob} exclude each other."),
        (true, false) => "on",
        (false, true) => "off",
        _ => null,
    };

    private static ScalarValue Parse(Knob knob, string text) => knob.Kind.TryParse(text, out ScalarValue value, out string complaint)
        ? value
        : throw new BadArgumentsException($"--{knob}: {complaint}; allowed: {knob.Kind.Expectation}.");

    private static string Describe(Knob knob) => knob.Effect;
}
