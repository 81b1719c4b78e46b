using Harness.Simulation.MachineFiles;
using Harness.Simulation.Machines;

namespace Harness.Tests.Simulation;

public sealed class MachineFileTests
{
    // Without its layers, so that a test can add its own.
    static readonly string Good = File.ReadAllText(Path.Combine(MachineFile.Directory, "2x20.yaml")).Split("layers:")[0];

    [Theory]
    [InlineData("this-vm", 2, 1)]
    [InlineData("1x8", 8, 1)]
    [InlineData("2x20", 40, 2)]
    [InlineData("2x40", 80, 2)]
    [InlineData("8x16", 128, 8)]
    public void EveryMachineThatComesAlongLoads(string name, int cpus, int nodes)
    {
        MachineDescription machine = MachineFile.Load(name);
        Assert.Equal((name, cpus, nodes), (machine.Name, machine.CpuCount, machine.CpusOfNode.Count));
        Assert.Contains(name, MachineFile.Names);
        Assert.All(Costs(machine), cost => Assert.NotEmpty(cost.Source));
        Assert.True(machine.Costs.LockSameNode.Nanoseconds <= machine.Costs.LockOtherNode.Nanoseconds);
        Assert.True(machine.Costs.CopyLocal.BytesPerSecond >= machine.Costs.CopyRemote.BytesPerSecond);
    }

    static IEnumerable<Cost> Costs(MachineDescription machine) =>
        typeof(CostModel).GetProperties().Select(property => property.GetValue(machine.Costs)).OfType<Cost>();

    [Fact]
    public void UnitsAreConverted()
    {
        MachineDescription machine = MachineFile.Load("2x20");
        Assert.Equal(2_800_000, machine.Costs.TimeSlice.Nanoseconds);
        Assert.Equal(2_000, machine.Costs.IdleExitShallow.Nanoseconds);
        Assert.Equal(10_000_000_000, machine.Costs.CopyLocal.BytesPerSecond);
    }

    [Fact]
    public void AnUnknownMachineIsRefusedWithTheNearestName()
    {
        Refused.With<MachineFileException>(() => MachineFile.Load("2x30"), "Did you mean '2x20'?");
        Refused.With<MachineFileException>(() => MachineFile.Load("none/such.yaml"), "There is no machine file");
    }

    /// <summary>What is wrong is found where it is; the line is that of the text that was put in.</summary>
    [Theory]
    [InlineData("    - {cpus: 20}\n    - {cpus: 20}", "    - {cpus: 20}\n    - {cpus: 0}", "cpus: 0", "CPUs of the node, 1 to 4096")]
    [InlineData("    - {cpus: 20}\n    - {cpus: 20}", "    - {cpus: 20}\n    - {cpus: 5000}", "cpus: 5000", "1 to 4096")]
    [InlineData("    - {cpus: 20}\n    - {cpus: 20}", "    - {cpus: 20}\n    - {cpu: 20}", "cpu: 20", "has no 'cpus'")]
    [InlineData("    - [21, 10]\n", "    - [21, 10, 21]\n", "[21, 10, 21]", "square matrix")]
    [InlineData("    - [21, 10]\n", "", "nodes:", "1 rows for 2 nodes")]
    [InlineData("    - [21, 10]\n", "    - [10, 10]\n", "[10, 10]", "the distance of two nodes, 11 to 254")]
    [InlineData("    - [21, 10]\n", "    - [21, 11]\n", "[21, 11]", "the distance of a node to itself, 10 to 10")]
    [InlineData("value: 250\n", "value: -250\n", "value: -250", "Allowed: a time in ns, 0 to")]
    [InlineData("value: 250\n", "value: fast\n", "value: fast", "not a number")]
    [InlineData("value: 250\n    unit: ns", "value: 250\n    unit: GB/s", "value: 250", "Allowed here: ns, us, ms")]
    [InlineData("value: 2.8\n", "value: 0\n", "value: 0", "costs.timeSlice.value is 0")]
    [InlineData("  systemCall:", "  sistemCall:", "systemCall", "has no 'systemCall'")]
    [InlineData("  systemCall:", "  systemCal: {value: 1}\n  systemCall:", "systemCal: {", "Did you mean 'systemCall'?")]
    [InlineData("  block:\n    value: 200\n", "  block:\n    value: -200\n", "value: -200", "Allowed: a time in ns, 0 to")]
    [InlineData("  block:", "  blok:", "block", "has no 'block'")]
    [InlineData("  block:", "  blok: {value: 1}\n  block:", "blok: {", "Did you mean 'block'?")]
    [InlineData("topology:", "tropology: 1\ntopology:", "tropology", "Did you mean 'topology'?")]
    [InlineData("value: 250\n", "value: 250\n    low: 260\n", "value: 250", "does not contain the value")]
    [InlineData("value: 250\n", "value: [250]\n", "[250]", "a list, not a single value")]
    [InlineData("topology:", "topology: [", "[", "This is not YAML")]
    [InlineData("value: 250\n", "value: NaN\n", "value: NaN", "not a number")]
    [InlineData("value: 250\n", "value: 1e9\n", "value: 1e9", "not a number")]
    [InlineData("value: 250\n", "value: 250\n    low: -1\n", "low: -1", "the end of an interval")]
    [InlineData("topology:", "scheduler: {wakes: never, source: me}\ntopology:", "never", "Allowed: idle")]
    [InlineData("topology:", "variation: {wakeUps: 100, work: 5, source: me}\ntopology:", "100", "Allowed: a share of the cost in per cent, 0 to 99")]
    [InlineData("topology:", "variation: {wakeUps: 5, work: -1, source: me}\ntopology:", "-1", "Allowed: a share of the cost in per cent, 0 to 99")]
    [InlineData("topology:", "variation: {wakeUps: 5, source: me}\ntopology:", "wakeUps", "has no 'work'")]
    [InlineData("    - {cpus: 20}\n    - {cpus: 20}", "    - {cpus: 4096}\n    - {cpus: 20}", "4096", "Allowed: at most 4096")]
    [InlineData("    - {cpus: 20}\n    - {cpus: 20}", "    []", "[]", "at least 1 node")]
    [InlineData("unit: GB/s", "unit: ns", "unit: ns", "Allowed here: GB/s, MB/s")]
    public void WhatIsImpossibleIsRefusedWithFileLineColumnAndWhatIsAllowed(string good, string bad, string at, string says)
    {
        Assert.Contains(good, Good, StringComparison.Ordinal);
        int where = Good.IndexOf(good, StringComparison.Ordinal);
        string text = string.Concat(Good.AsSpan(0, where), bad, Good.AsSpan(where + good.Length));
        var error = Assert.Throws<MachineFileException>(() => MachineFile.Parse(text, "my.yaml"));
        Assert.Matches(@"^my\.yaml:\d+:\d+: ", error.Message);
        Assert.Contains(says, error.Message, StringComparison.Ordinal);
        int line = int.Parse(error.Message.Split(':')[1]);
        string[] lines = text.Split('\n');
        string near = string.Join('\n', lines[Math.Max(0, line - 2)..Math.Min(lines.Length, line + 3)]);
        bool missing = says.StartsWith("has no", StringComparison.Ordinal);
        Assert.True(missing || near.Contains(at, StringComparison.Ordinal), $"line {line} is not near '{at}'");
    }

    [Fact]
    public void AMachineOfOneNodeNeedsNoFiguresForOthers()
    {
        CostModel costs = MachineFile.Load("1x8").Costs;
        Assert.Same(costs.WakeSameNode, costs.WakeOtherNode);
        string two = Good.Replace("  wakeOtherNode:", "  contextSwitch2:", StringComparison.Ordinal);
        Refused.With<MachineFileException>(() => MachineFile.Parse(two, "f"), "has no 'wakeOtherNode'");
    }

    [Fact]
    public void LayersHaveCostsAndRatesThatTheMachineDoesNotKnow()
    {
        const string layers = """
            layers:
              daemon:
                decode: {value: 80, unit: ns, low: 75, high: 90, source: measured}
                checksum: {value: 12, unit: GB/s, source: measured}
            """;
        LayerCosts daemon = MachineFile.Parse(Good + layers, "f").Layers["daemon"];
        Assert.Equal(new Cost(80, "measured") { LowNanoseconds = 75, HighNanoseconds = 90 }, daemon.Times["decode"]);
        Assert.Equal(12_000_000_000, daemon.Rates["checksum"].BytesPerSecond);
        Assert.Matches(@"^f:\d+:\d+$", daemon.Location);
    }

    [Fact]
    public void ACostThatALayersReaderDoesNotKnowIsRefusedWithItsPlaceAndTheNearestName()
    {
        LayerCosts Layer(string entry) => MachineFile.Parse($"{Good}layers:\n  daemon:\n    {entry}\n", "f").Layers["daemon"];
        int line = Good.Count(c => c == '\n') + 3;
        var unknown = Assert.Throws<MachineFileException>(
            () => Layer("dispach: {value: 80, unit: ns, source: measured}").RefuseOthersThan(["dispatch", "read"]));
        Assert.StartsWith($"f:{line}:5: layers.daemon has an unknown key 'dispach'. Did you mean 'dispatch'?", unknown.Message);
        Refused.With<MachineFileException>(
            () => Layer("dispatch: {value: 8, unit: GB/s, source: measured}").RefuseOthersThan(["dispatch"]), "is a rate. Allowed: times");
        Layer("dispatch: {value: 80, unit: ns, source: measured}").RefuseOthersThan(["dispatch", "read"]);
    }

    [Theory]
    [InlineData("this-vm")]
    [InlineData("2x20")]
    [InlineData("8x16")]
    public void AMachineThatIsWrittenIsReadBackTheSame(string name)
    {
        MachineDescription machine = MachineFile.Load(name);
        machine = machine with
        {
            Costs = machine.Costs with
            {
                SystemCall = new Cost(123, "a \"quoted\" back\\slash, and\na line") { LowNanoseconds = 100, HighNanoseconds = 150 },
                CopyLocal = new Rate(12_345_678_901, "measured") { LowBytesPerSecond = 11_000_000_001 },
            },
            Layers = new Dictionary<string, LayerCosts>
            {
                ["daemon"] = new(
                    "daemon",
                    new Dictionary<string, Cost> { ["decode"] = new(80, "measured") },
                    new Dictionary<string, Rate> { ["checksum"] = new(5, "measured") }),
            },
        };
        MachineDescription read = MachineFile.Parse(MachineFileWriter.Write(machine), "written.yaml");
        Assert.Equal(machine.Costs, read.Costs);
        Assert.Equal((machine.Name, machine.Description, machine.TopologySource), (read.Name, read.Description, read.TopologySource));
        Assert.Equal(machine.CpusOfNode, read.CpusOfNode);
        Assert.Equal(machine.Distances, read.Distances);
        Assert.Equal(machine.Layers["daemon"].Times, read.Layers["daemon"].Times);
        Assert.Equal(machine.Layers["daemon"].Rates, read.Layers["daemon"].Rates);
    }
}
