using Harness.Simulation.MachineFiles;

namespace Harness.Simulation.Machines;

/// <summary>A machine as data: what a machine file says.</summary>
public sealed record MachineDescription
{
    /// <summary>The distance of a node to itself, as the ACPI specification's SLIT table has it.</summary>
    public const int LocalDistance = 10;

    /// <summary>The most CPUs of a machine.</summary>
    public const int CpusMax = 4096;

    /// <summary>The machine's name.</summary>
    public required string Name { get; init; }

    /// <summary>What class of machine it stands for.</summary>
    public string Description { get; init; } = "";

    /// <summary>The number of CPUs of each NUMA node. CPUs are numbered node by node.</summary>
    public required IReadOnlyList<int> CpusOfNode { get; init; }

    /// <summary>Row by row, the distance from each node to each node: 10 to itself, more to any other.</summary>
    public required IReadOnlyList<IReadOnlyList<int>> Distances { get; init; }

    /// <summary>Where the topology and the distances come from.</summary>
    public string TopologySource { get; init; } = "";

    /// <summary>Where its scheduler lets threads wake up.</summary>
    public WakePlacement Wakes { get; init; }

    /// <summary>What <see cref="WakePlacement.Packed"/> takes for full.</summary>
    public Packing Packing { get; init; } = Packing.None;

    /// <summary>Where <see cref="Wakes"/> comes from; empty if nobody said anything.</summary>
    public string SchedulerSource { get; init; } = "";

    /// <summary>By how much single acts on it differ from what they cost.</summary>
    public ActVariation Variation { get; init; } = ActVariation.None;

    /// <summary>What things cost on it.</summary>
    public required CostModel Costs { get; init; }

    /// <summary>Further costs by layer and name, which the layers above read: this one does not know what they mean.</summary>
    public IReadOnlyDictionary<string, LayerCosts> Layers { get; init; } = new Dictionary<string, LayerCosts>();

    /// <summary>The number of CPUs.</summary>
    public int CpuCount => CpusOfNode.Sum();
}

/// <summary>The costs of one layer above the machine, such as a daemon's own code, by name.</summary>
/// <param name="Layer">The layer's name.</param>
/// <param name="Times">Costs in time.</param>
/// <param name="Rates">Costs per byte, as rates.</param>
/// <param name="Location">File, line and column of the layer's section, for errors; empty if it comes from no file.</param>
public sealed record LayerCosts(
    string Layer, IReadOnlyDictionary<string, Cost> Times, IReadOnlyDictionary<string, Rate> Rates, string Location = "")
{
    /// <summary>For the layer's reader, which alone knows what there is: refuses any cost that it does not read.</summary>
    /// <param name="known">The names of all costs of the layer, which are times.</param>
    /// <exception cref="MachineFileException">The layer has another one, or one that is a rate.</exception>
    public void RefuseOthersThan(IReadOnlyCollection<string> known)
    {
        string place = Location.Length > 0 ? $"{Location}: " : "";
        foreach (string name in Times.Keys.Where(name => !known.Contains(name)))
        {
            throw new MachineFileException($"{place}layers.{Layer} has an unknown key '{name}'. {NearestName.Suggest(name, known)}");
        }
        foreach (string name in Rates.Keys)
        {
            throw new MachineFileException($"{place}layers.{Layer}.{name} is a rate. Allowed: times, in ns, us or ms.");
        }
    }
}

/// <summary>Where a scheduler lets a thread wake up. Whichever it is, a thread whose last CPU is idle and not passed over wakes up there.</summary>
public enum WakePlacement
{
    /// <summary>Where a CPU is idle: the last one, or else the nearest (kernel/sched/fair.c, <c>select_idle_sibling</c>).</summary>
    Idle,

    /// <summary>
    /// On its waker's CPU as long as that is not too full (<see cref="Packing"/>), though another is idle: as kernels of guests do whose idle CPUs
    /// are dear to wake.
    /// </summary>
    Packed,

    /// <summary>On its waker's CPU, wherever it was: as <c>wake_affine</c> does at times.</summary>
    Waker,
}
