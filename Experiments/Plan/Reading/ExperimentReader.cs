using Harness.Experiments.Plan.Values;
using Harness.Experiments.Plan.Workloads;
using Harness.Experiments.Plan.Yaml;
using Harness.Simulation.MachineFiles;

namespace Harness.Experiments.Plan.Reading;

/// <summary>Reads one entry of <c>experiments</c>.</summary>
internal sealed class ExperimentReader(Problems problems)
{
    /// <summary>The most workloads of one experiment.</summary>
    public const int WorkloadsMax = 256;

    private const int DefaultRepetitions = 5;
    private const int DefaultMaxRepetitions = 30;
    private const int DefaultSeed = 1;

    private static readonly Timing DefaultTiming = new(TimeSpan.FromSeconds(1), TimeSpan.Zero);

    /// <summary>The machine of this project's own measurements.</summary>
    private const string DefaultMachine = "this-vm";

    private static readonly Dictionary<string, World> Worlds =
        new() { ["auto"] = World.Auto, ["real"] = World.Real, ["simulated"] = World.Simulated };

    private static readonly Dictionary<string, string> MisplacedKnobs =
        Knobs.All.ToDictionary(knob => knob.Name, _ => "a knob stands under mount, or under factors to vary");

    /// <summary>Reads an experiment.</summary>
    /// <returns>The experiment; of use only if no problem was found.</returns>
    public Experiment Read(YamlNode node)
    {
        var map = new MapReader(node, "an experiment", problems);
        string name = map.Need("name") is { } entry ? map.Value(entry, Kinds.Name)?.Text ?? "" : "";
        string description = map.Take("description") is { } text ? ReadDescription(text) : "";
        ScalarValue? world = map.Value("world", ValueKind.Choice([.. Worlds.Keys]));
        ScalarValue? machine = map.Value("machine", ValueKind.Choice([.. MachineFile.Names]));
        Backend backend = new BackendReader(problems).Read(map.Need("backend"));
        var knobs = new KnobReader(map, problems);
        KnobSettings mount = knobs.ReadMount();
        IReadOnlyList<Factor> factors = knobs.ReadFactors(mount);
        Design design = new DesignReader(problems).Read(map, factors);
        var timing = new Timing(
            Kinds.Time(map.Value("runtime", Kinds.Runtime)) ?? DefaultTiming.Runtime,
            Kinds.Time(map.Value("ramp_time", Kinds.RampTime)) ?? DefaultTiming.RampTime);
        var experiment = new Experiment
        {
            Mark = map.Mark,
            Name = name,
            Description = description,
            World = world is { } known ? Worlds[known.Text] : World.Auto,
            Machine = machine?.Text ?? DefaultMachine,
            Backend = backend,
            Mount = mount,
            Factors = factors,
            Design = design,
            Workloads = ReadWorkloads(map, timing, backend),
            Repetitions = ReadRepetitions(map),
            Seed = (int)(map.Value("seed", Kinds.Seed)?.Number ?? DefaultSeed),
            QuickOverrides = ReadQuick(map),
        };
        map.Finish(MisplacedKnobs);
        return experiment;
    }

    private string ReadDescription(YamlEntry entry)
    {
        if (entry.Value is YamlScalar scalar)
        {
            return scalar.Text.Trim();
        }

        problems.Add(entry.Value.Mark, $"description: this is {entry.Value.Shape}; allowed: text");
        return "";
    }

    private List<Workload> ReadWorkloads(MapReader map, Timing timing, Backend backend)
    {
        var workloads = new List<Workload>();
        if (map.Need("workloads") is not { } entry)
        {
            return workloads;
        }

        if (entry.Value is not YamlList { Items.Count: > 0 and <= WorkloadsMax } list)
        {
            string found = entry.Value is YamlList wrong ? $"a list of {wrong.Items.Count}" : entry.Value.Shape;
            problems.Add(entry.Value.Mark, $"workloads must be a list of 1 to {WorkloadsMax} fio jobs, not {found}");
            return workloads;
        }

        var reader = new WorkloadReader(problems);
        var names = new UniqueNames("workload", problems);
        foreach (YamlNode node in list.Items)
        {
            workloads.Add(reader.Read(node, timing, backend));
            names.Add(workloads[^1].Name, node);
        }

        return workloads;
    }

    private Repetitions ReadRepetitions(MapReader map)
    {
        YamlEntry? repetitions = map.Take("repetitions");
        YamlEntry? until = map.Take("until");
        if (repetitions is not null && until is not null)
        {
            problems.Add(until.Key.Mark, $"until and repetitions (line {repetitions.Key.Mark.Line}) exclude each other; leave one out");
        }

        if (until is null)
        {
            long? blocks = repetitions is null ? null : map.Value(repetitions, Kinds.Repetitions)?.Number;
            return Repetitions.Fixed((int)(blocks ?? DefaultRepetitions));
        }

        var goal = new MapReader(until.Value, "until", problems);
        ScalarValue? width = goal.Need("confidence-width") is { } entry ? goal.Value(entry, Kinds.Width) : null;
        long most = goal.Value("max-repetitions", Kinds.RepetitionsForInterval)?.Number ?? DefaultMaxRepetitions;
        goal.Finish();
        return new Repetitions(Repetitions.MinimumForInterval, (int)most, (double)(width?.Number ?? 0) / PercentKind.Whole);
    }

    private QuickOverrides ReadQuick(MapReader map)
    {
        if (map.Take("quick") is not { } entry)
        {
            return new QuickOverrides(null, null, null);
        }

        var quick = new MapReader(entry.Value, "quick", problems);
        var overrides = new QuickOverrides(
            (int?)quick.Value("repetitions", Kinds.Repetitions)?.Number,
            Kinds.Time(quick.Value("runtime", Kinds.Runtime)),
            Kinds.Time(quick.Value("ramp_time", Kinds.RampTime)));
        quick.Finish();
        return overrides;
    }
}
