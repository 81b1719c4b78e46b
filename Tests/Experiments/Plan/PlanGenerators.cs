using FsCheck;
using FsCheck.Fluent;
using Harness.Experiments.Plan;
using Harness.Experiments.Plan.Values;
using Harness.Experiments.Plan.Workloads;
using Harness.Experiments.Plan.Yaml;

namespace Harness.Tests.Experiments.Plan;

/// <summary>Random experiments for property tests.</summary>
internal static class PlanGenerators
{
    private static readonly Dictionary<Knob, string[]> Levels = new()
    {
        [Knobs.Threads] = ["1", "2", "12"],
        [Knobs.MaxWrite] = ["4K", "128K", "1M"],
        [Knobs.AsyncDio] = ["off", "on"],
        [Knobs.Writeback] = ["off", "on"],
        [Knobs.MaxBackground] = ["1", "2", "12"],
        [Knobs.CongestionThreshold] = ["1", "2", "12"],
        [Knobs.MaxReadahead] = ["4K", "128K"],
        [Knobs.Latency] = ["0us", "200us"],
        [Knobs.Channel] = ["dev-fuse"],
    };

    /// <summary>A failing property names the seed that replays it; <c>Config.Replay</c> takes it.</summary>
    public static void Check(Action<Experiment> property) =>
        Prop.ForAll(Experiments.ToArbitrary(), property).QuickCheckThrowOnFailure();

    private static Gen<Experiment> Experiments =>
        from knobs in Gen.Shuffle(Levels.Keys.ToArray())
        from count in Gen.Choose(0, 4)
        from factors in Gen.CollectToList(knobs.Take(count), Factor)
        from workloads in Gen.Choose(1, 3)
        from least in Gen.Choose(1, 4)
        from more in Gen.Choose(0, 3)
        from seed in Gen.Choose(0, int.MaxValue - 1)
        from design in DesignOf(factors)
        select new Experiment
        {
            Machine = "this-vm",
            Mark = SourceMark.None,
            Name = "a",
            Description = "",
            World = World.Real,
            Backend = new Backend(Backend.Memory, null),
            Mount = KnobSettings.None,
            Factors = factors,
            Design = design,
            Workloads = [.. Enumerable.Range(0, workloads).Select(Workload)],
            Repetitions = new Repetitions(least, least + more, more > 0 ? 0.05 : null),
            Seed = seed,
            QuickOverrides = new QuickOverrides(null, null, null),
        };

    private static Gen<Factor> Factor(Knob knob) =>
        from levels in Gen.Shuffle(Levels[knob])
        from count in Gen.Choose(1, levels.Length)
        from baseline in Gen.Choose(0, count - 1)
        select new Factor(knob, [.. levels.Take(count).Select(knob.Kind.Parse)], baseline);

    private static Gen<Design> DesignOf(IReadOnlyList<Factor> factors) =>
        from kind in Gen.Choose(0, 3)
        from size in Gen.Choose(1, (int)Design.GridSize(factors))
        select kind switch
        {
            0 => new FullFactorial(),
            1 => new Ladder(),
            2 => new OneAtATime(),
            _ => (Design)new RandomSubset(size),
        };

    private static Workload Workload(int index) => new()
    {
        Name = $"w{index}",
        Settings = [new FioSetting(FioKeys.Rw, new ScalarValue(0, "read")), new FioSetting(FioKeys.Size, FioKeys.Size.Kind.Parse("1M"))],
        Timing = new Timing(TimeSpan.FromSeconds(1), TimeSpan.Zero),
    };
}
