using Harness.Experiments.Plan.Values;

namespace Harness.Experiments.Plan;

/// <summary>Values for some knobs, in the order in which they were set. Immutable.</summary>
internal sealed class KnobSettings
{
    private readonly IReadOnlyList<(Knob Knob, ScalarValue Value)> settings;

    private KnobSettings(IReadOnlyList<(Knob Knob, ScalarValue Value)> settings) => this.settings = settings;

    /// <summary>Every knob at its default.</summary>
    public static KnobSettings None { get; } = new([]);

    /// <summary>The knobs that were set, in order.</summary>
    public IEnumerable<Knob> Knobs => settings.Select(setting => setting.Knob);

    /// <summary>The value in effect: as set, or else the default.</summary>
    public ScalarValue this[Knob knob]
    {
        get
        {
            foreach ((Knob set, ScalarValue value) in settings)
            {
                if (set == knob)
                {
                    return value;
                }
            }

            return knob.Default(this);
        }
    }

    /// <summary>Whether the knob was set.</summary>
    public bool Has(Knob knob) => Knobs.Contains(knob);

    /// <summary>These settings with one knob at its default.</summary>
    public KnobSettings Without(Knob knob) => new([.. settings.Where(setting => setting.Knob != knob)]);

    /// <summary>These settings with one knob more.</summary>
    /// <exception cref="ArgumentException">The knob is set already.</exception>
    public KnobSettings With(Knob knob, ScalarValue value) => Knobs.Contains(knob)
        ? throw new ArgumentException($"{knob} is set already", nameof(knob))
        : new KnobSettings([.. settings, (knob, value)]);

    /// <summary>These settings, then the others.</summary>
    public KnobSettings With(KnobSettings others) => others.settings.Aggregate(this, (sum, other) => sum.With(other.Knob, other.Value));

    /// <summary>The arguments of <c>harness mount</c> for these settings, mount point and backend excepted.</summary>
    public IReadOnlyList<string> MountArguments() => [.. settings.SelectMany(setting => setting.Knob.MountArguments(setting.Value))];

    /// <summary>The settings as a person writes them, unique among settings: <c>async-dio=on max-write=1M</c>.</summary>
    public override string ToString() => string.Join(' ', settings.Select(setting => $"{setting.Knob}={setting.Value}"));

    /// <summary>The settings as a map's column is headed, unique among settings of the same knobs: <c>async 1M</c>.</summary>
    public string ToLabel() => string.Join(' ', settings.Select(setting => setting.Knob.Label(setting.Value)));
}
