using Harness.Experiments.Plan.Values;

namespace Harness.Experiments.Plan.Workloads;

/// <summary>One of fio's job options that a workload may set, under fio's own name.</summary>
/// <param name="Name">fio's name for it.</param>
/// <param name="Kind">What it may hold.</param>
/// <param name="Engines">The engines that know the option; empty for every engine.</param>
internal sealed record FioKey(string Name, ValueKind Kind, params string[] Engines)
{
    /// <summary>The value as fio's job file has it.</summary>
    public string Render(ScalarValue value) => Kind is SwitchKind ? $"{value.Number}" : value.Text;

    /// <summary>Whether fio accepts the option together with this engine.</summary>
    public bool IsKnownTo(string engine) => Engines.Length == 0 || Engines.Contains(engine);

    public override string ToString() => Name;
}

/// <summary>A fio option with its value.</summary>
internal readonly record struct FioSetting(FioKey Key, ScalarValue Value);
