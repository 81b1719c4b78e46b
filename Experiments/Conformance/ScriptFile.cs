using Harness.Experiments.Plan;
using Harness.Experiments.Plan.Reading;
using Harness.Experiments.Plan.Values;
using Harness.Experiments.Plan.Yaml;

namespace Harness.Experiments.Conformance;

/// <summary>Reads files of conformance scripts.</summary>
internal static class ScriptFile
{
    /// <summary>The most steps of one script.</summary>
    public const int StepsMax = 1000;

    private static readonly ValueKind s_comparison = ValueKind.Choice("order", "multiset", "coverage");

    /// <summary>What every script's mount has unless it says otherwise: times so long that no pause of the machine is seen.</summary>
    private static readonly (Knob Knob, string Value)[] s_usual =
    [
        (Knobs.Threads, "1"), (Knobs.EntryTimeout, "600s"), (Knobs.AttrTimeout, "600s"),
    ];

    /// <summary>The directory of the project's own scripts.</summary>
    public static string Directory => Path.Combine(AppContext.BaseDirectory, "Conformance");

    /// <summary>Reads a file.</summary>
    /// <returns>Its scripts, or what is wrong with it.</returns>
    public static (IReadOnlyList<Script> Scripts, IReadOnlyList<PlanError> Errors) Load(string path)
    {
        try
        {
            return Parse(path, File.ReadAllText(path));
        }
        catch (Exception refusal) when (refusal is IOException or UnauthorizedAccessException)
        {
            return ([], [new PlanError(path, 0, 0, $"the file cannot be read: {refusal.Message}")]);
        }
    }

    /// <summary>Reads the scripts in a text.</summary>
    public static (IReadOnlyList<Script> Scripts, IReadOnlyList<PlanError> Errors) Parse(string file, string text)
    {
        var problems = new Problems(file);
        var scripts = new List<Script>();
        try
        {
            ReadRoot(YamlTree.Read(TextLines.Check(text)), problems, scripts);
        }
        catch (YamlRefusedException refusal)
        {
            problems.Add(refusal.Mark, refusal.Message);
        }

        return problems.Any ? ([], problems.InOrder()) : (scripts, []);
    }

    /// <summary>A mount's knobs with those that every script has.</summary>
    public static KnobSettings WithUsual(KnobSettings knobs) => s_usual.Where(usual => !knobs.Has(usual.Knob))
        .Aggregate(knobs, (sum, usual) => sum.With(usual.Knob, usual.Knob.Kind.Parse(usual.Value)));

    private static void ReadRoot(YamlNode? root, Problems problems, List<Script> scripts)
    {
        if (root is null)
        {
            problems.Add(SourceMark.None, "the file is empty; it begins with the key 'scripts:'");
            return;
        }

        var map = new MapReader(root, "a file of scripts", problems);
        YamlEntry? entry = map.Need("scripts");
        map.Finish();
        if (entry?.Value is not YamlList list)
        {
            if (entry is not null)
            {
                problems.Add(entry.Value.Mark, $"scripts must be a list, not {entry.Value.Shape}");
            }

            return;
        }

        var names = new UniqueNames("script", problems);
        foreach (YamlNode node in list.Items)
        {
            scripts.Add(ReadScript(node, problems));
            names.Add(scripts[^1].Name, node);
        }
    }

    private static Script ReadScript(YamlNode node, Problems problems)
    {
        var map = new MapReader(node, "a script", problems);
        YamlEntry? name = map.Need("name");
        KnobSettings knobs = new KnobReader(map, problems).ReadMount();
        RefuseKnobs(knobs, map, problems);
        ScalarValue? comparison = map.Value("compare", s_comparison);
        ScalarValue? inFlight = map.Value("in-flight", ValueKind.Switch);
        YamlEntry? steps = map.Need("steps");
        map.Finish();
        return new Script
        {
            Name = name is null ? "" : map.Value(name, Kinds.Name)?.Text ?? "",
            Knobs = WithUsual(knobs),
            Comparison = (Comparison)(comparison?.Number ?? 0),
            ComparesInFlight = inFlight?.Number == 1,
            Steps = steps is null ? [] : ReadSteps(steps, problems),
        };
    }

    private static void RefuseKnobs(KnobSettings knobs, MapReader map, Problems problems)
    {
        if (SimulatedWorld.Unmodelled(knobs) is { } refusal)
        {
            problems.Add(map.Mark, refusal);
        }
    }

    private static List<ScriptStep> ReadSteps(YamlEntry entry, Problems problems)
    {
        var steps = new List<ScriptStep>();
        if (entry.Value is not YamlList { Items.Count: > 0 and <= StepsMax } list)
        {
            problems.Add(entry.Value.Mark, $"steps must be a list of 1 to {StepsMax} calls");
            return steps;
        }

        var open = new HashSet<string>();
        foreach (YamlNode item in list.Items)
        {
            (ScriptStep? step, string complaint) = item is YamlScalar scalar
                ? ScriptCalls.Parse(scalar.Text)
                : (null, $"a step must be one line of text, not {item.Shape}");
            if (step is not null && CheckHandles(step, open) is { } unknown)
            {
                (step, complaint) = (null, unknown);
            }

            if (step is null)
            {
                problems.Add(item.Mark, complaint);
            }
            else
            {
                steps.Add(step);
            }
        }

        return steps;
    }

    /// <summary>Each name of an open file must have been opened before it is used.</summary>
    private static string? CheckHandles(ScriptStep step, HashSet<string> open)
    {
        for (int i = 0; i < step.Call.Arguments.Count; i++)
        {
            bool isNew = i == 0 && step.Name is "open" or "dup";
            if (step.Call.Arguments[i] == ScriptArgument.Handle && !(isNew && i == 0) && !open.Contains(step.Words[i]))
            {
                return $"{step.Name}: no open file is called '{step.Words[i]}'; open it before";
            }
        }

        if (step.Name is "open" or "dup")
        {
            open.Add(step.Words[0]);
        }

        return null;
    }
}
