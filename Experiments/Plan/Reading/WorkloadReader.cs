using Harness.Experiments.Plan.Values;
using Harness.Experiments.Plan.Workloads;
using Harness.Experiments.Plan.Yaml;

namespace Harness.Experiments.Plan.Reading;

/// <summary>Reads one entry of <c>workloads</c>.</summary>
internal sealed class WorkloadReader(Problems problems)
{
    // fio takes a section of this name for settings of all jobs.
    private const string GlobalSection = "global";

    private static readonly ScalarValue DefaultBlockSize = FioKeys.Bs.Kind.Parse("4K");

    private static readonly string[] BlockSizeKeys = ["bs", "bsrange", "bssplit"];

    private readonly WorkloadRules rules = new(problems);

    /// <summary>Reads a workload.</summary>
    /// <param name="node">The entry.</param>
    /// <param name="usual">How long workloads of this experiment run unless they say otherwise.</param>
    /// <param name="backend">What it will run on.</param>
    /// <returns>The workload; of use only if no problem was found.</returns>
    public Workload Read(YamlNode node, Timing usual, Backend backend)
    {
        var map = new MapReader(node, "a workload", problems);
        YamlEntry? nameEntry = map.Need("name");
        string name = nameEntry is not null && map.Value(nameEntry, Kinds.Name) is { } value ? value.Text : "";
        if (name == GlobalSection)
        {
            problems.Add(nameEntry!.Value.Mark, "name: fio keeps the name 'global' for itself; choose another");
        }

        _ = map.Need(FioKeys.Rw.Name);
        _ = map.Need(FioKeys.Size.Name);
        var settings = new List<FioSetting>();
        var marks = new Dictionary<FioKey, SourceMark>();
        foreach (YamlEntry entry in map.TakeAll(FioKeys.All.Select(key => key.Name)))
        {
            FioKey key = FioKeys.Find(entry.Key.Text)!;
            marks[key] = entry.Key.Mark;
            if (map.Value(entry, key.Kind) is { } setting)
            {
                settings.Add(new FioSetting(key, setting));
            }
        }

        if (!settings.Any(setting => BlockSizeKeys.Contains(setting.Key.Name)))
        {
            settings.Add(new FioSetting(FioKeys.Bs, DefaultBlockSize));
        }

        Timing? timing = ReadTiming(map, usual, settings);
        map.Finish(FioKeys.Refused);
        var workload = new Workload { Name = name, Settings = settings, Timing = timing };
        rules.Check(workload, backend, marks);
        return workload;
    }

    private Timing? ReadTiming(MapReader map, Timing usual, List<FioSetting> settings)
    {
        bool verifies = settings.Any(setting => setting.Key == FioKeys.Verify);
        YamlEntry? timeBased = map.Take("time_based");
        YamlEntry? runtime = map.Take("runtime");
        YamlEntry? rampTime = map.Take("ramp_time");
        bool isTimed = timeBased is null ? !verifies : map.Value(timeBased, ValueKind.Switch) is { Number: 1 };
        if (isTimed && verifies)
        {
            problems.Add(
                timeBased!.Key.Mark,
                "verify reads back what was written, and time_based would cut that off; leave time_based out");
        }

        if (!isTimed && (runtime ?? rampTime) is { } superfluous)
        {
            string reason = verifies ? "verify" : "time_based: off";
            problems.Add(
                superfluous.Key.Mark,
                $"with {reason} a workload ends when it has moved its size; leave {superfluous.Key.Text} out");
        }

        if (!isTimed)
        {
            return null;
        }

        ScalarValue? runtimeValue = runtime is null ? null : map.Value(runtime, Kinds.Runtime);
        ScalarValue? rampValue = rampTime is null ? null : map.Value(rampTime, Kinds.RampTime);
        return new Timing(Kinds.Time(runtimeValue) ?? usual.Runtime, Kinds.Time(rampValue) ?? usual.RampTime);
    }
}
