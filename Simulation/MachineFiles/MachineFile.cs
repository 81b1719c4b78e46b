using Harness.Simulation.Machines;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Harness.Simulation.MachineFiles;

/// <summary>Reads machine files: <c>machines/*.yaml</c>, whose form <c>docs/simulator.md</c> describes.</summary>
public static class MachineFile
{
    internal const string Root = "the file";

    internal static readonly string[] Placements = ["idle", "packed", "waker"];

    const int DistanceMax = 254;

    /// <summary>No act takes less than nothing.</summary>
    const decimal VariationMax = 99;
    const string Square = "Allowed: a square matrix with one row and one column per node.";

    /// <summary>Where the machine files that come with the program are.</summary>
    public static string Directory => Path.Combine(AppContext.BaseDirectory, "machines");

    /// <summary>The names of the machines that come with the program, in alphabetical order.</summary>
    public static IReadOnlyList<string> Names =>
        [.. System.IO.Directory.GetFiles(Directory, "*.yaml").Select(file => Path.GetFileNameWithoutExtension(file))
            .Order(StringComparer.Ordinal)];

    /// <summary>Loads a machine that comes with the program, by name, or any machine file, by path.</summary>
    /// <param name="nameOrPath">A name of <see cref="Names"/>, or a path that ends in <c>.yaml</c>.</param>
    /// <exception cref="MachineFileException">There is no such machine, or its file says something impossible.</exception>
    public static MachineDescription Load(string nameOrPath)
    {
        ArgumentNullException.ThrowIfNull(nameOrPath);
        bool isPath = nameOrPath.EndsWith(".yaml", StringComparison.Ordinal);
        string path = isPath ? nameOrPath : Path.Combine(Directory, nameOrPath + ".yaml");
        if (!File.Exists(path))
        {
            throw new MachineFileException(isPath
                ? $"There is no machine file '{path}'."
                : $"There is no machine '{nameOrPath}'. {NearestName.Suggest(nameOrPath, Names)} "
                    + "For a file of your own give a path that ends in .yaml.");
        }
        return Parse(File.ReadAllText(path), path);
    }

    /// <summary>Reads the text of a machine file.</summary>
    /// <param name="text">YAML.</param>
    /// <param name="file">The name that errors show.</param>
    /// <exception cref="MachineFileException">The text says something impossible.</exception>
    public static MachineDescription Parse(string text, string file)
    {
        var root = new YamlSection(file, Root, ReadRoot(text, file));
        YamlSection topology = root.Section("topology");
        int[] cpusOfNode = [.. topology.Sections("nodes").Select(ReadNode)];
        if (cpusOfNode.Length == 0)
        {
            throw topology.Error("topology.nodes is empty. A machine has at least 1 node.");
        }
        if (cpusOfNode.Sum() > MachineDescription.CpusMax)
        {
            throw topology.Error($"topology.nodes has {cpusOfNode.Sum()} CPUs together. Allowed: at most {MachineDescription.CpusMax}.");
        }
        int[][] distances = ReadDistances(topology, cpusOfNode.Length);
        string topologySource = topology.Text("source");
        topology.RefuseUnknownKeys();
        (WakePlacement wakes, Packing packing, string schedulerSource) = ReadScheduler(root);
        var description = new MachineDescription
        {
            Name = root.Text("name"),
            Description = root.TextOr("description", ""),
            CpusOfNode = cpusOfNode,
            Distances = distances,
            TopologySource = topologySource,
            Wakes = wakes,
            Packing = packing,
            SchedulerSource = schedulerSource,
            Variation = ReadVariation(root),
            Costs = ReadCosts(root.Section("costs"), oneNode: cpusOfNode.Length == 1),
            Layers = ReadLayers(root),
        };
        root.RefuseUnknownKeys();
        return description;
    }

    static YamlNode ReadRoot(string text, string file)
    {
        var stream = new YamlStream();
        try
        {
            stream.Load(new StringReader(text));
        }
        catch (YamlException error)
        {
            throw new MachineFileException(file, error.Start, $"This is not YAML: {error.InnerException?.Message ?? error.Message}");
        }
        return stream.Documents.Count == 1
            ? stream.Documents[0].RootNode
            : throw new MachineFileException($"{file}: a machine file has one YAML document; this has {stream.Documents.Count}.");
    }

    /// <summary>Where a thread wakes up; where the file does not say it, on its last CPU or an idle one.</summary>
    static (WakePlacement Wakes, Packing Packing, string Source) ReadScheduler(YamlSection root)
    {
        if (!root.Has("scheduler"))
        {
            return (WakePlacement.Idle, Packing.None, "");
        }
        YamlSection scheduler = root.Section("scheduler");
        string wakes = scheduler.Text("wakes");
        string source = scheduler.Text("source");
        int placement = Array.IndexOf(Placements, wakes);
        if (placement < 0)
        {
            throw scheduler.Error(
                $"scheduler.wakes is '{wakes}'. Allowed: {Placements[0]} (a thread wakes up on its last CPU if that is idle, or another idle one), "
                + $"{Placements[1]} (on its waker's CPU while that is not too full), {Placements[2]} (on its waker's CPU), the last two if nobody waits "
                + "there.");
        }
        Packing packing = (WakePlacement)placement == WakePlacement.Packed
            ? new Packing(Share("room"), Share("exitCounted"))
            : Packing.None;
        scheduler.RefuseUnknownKeys();
        return ((WakePlacement)placement, packing, source);

        double Share(string key) => (double)scheduler.Number(key, 0m, 100m, "a share of a CPU in per cent") / 100;
    }

    static int ReadNode(YamlSection node)
    {
        int cpus = node.Number("cpus", 1, MachineDescription.CpusMax, "the number of CPUs of the node");
        node.RefuseUnknownKeys();
        return cpus;
    }

    static int[][] ReadDistances(YamlSection topology, int nodes)
    {
        const string path = "topology.distances";
        IReadOnlyList<YamlNode> rows = topology.Items("distances");
        if (rows.Count != nodes)
        {
            throw topology.Error($"{path} has {rows.Count} rows for {nodes} nodes. {Square}");
        }
        var distances = new int[nodes][];
        for (int from = 0; from < nodes; from++)
        {
            IReadOnlyList<YamlNode> row = topology.Items(rows[from], $"{path}[{from}]");
            if (row.Count != nodes)
            {
                throw topology.Error(rows[from], $"{path}[{from}] has {row.Count} columns for {nodes} nodes. {Square}");
            }
            distances[from] = [.. row.Select((cell, to) => from == to
                ? topology.Number(cell, $"{path}[{from}][{to}]", MachineDescription.LocalDistance, MachineDescription.LocalDistance,
                    "the distance of a node to itself")
                : topology.Number(cell, $"{path}[{from}][{to}]", MachineDescription.LocalDistance + 1, DistanceMax,
                    "the distance of two nodes"))];
        }
        return distances;
    }

    /// <summary>By how much single acts differ from what they cost; not at all where the file does not say it.</summary>
    static ActVariation ReadVariation(YamlSection root)
    {
        if (!root.Has("variation"))
        {
            return ActVariation.None;
        }
        YamlSection variation = root.Section("variation");
        double Share(string key) => (double)variation.Number(key, 0m, VariationMax, "a share of the cost in per cent") / 100;
        var read = new ActVariation(Share("wakeUps"), Share("work"), variation.Text("source"));
        variation.RefuseUnknownKeys();
        return read;
    }

    /// <summary>Reads the costs. What a machine of one node never meets may be left out of its file.</summary>
    static CostModel ReadCosts(YamlSection costs, bool oneNode)
    {
        Cost Time(string key) => CostReader.Time(costs, key);
        Cost Far(string key, Cost near) => oneNode && !costs.Has(key) ? near : CostReader.Time(costs, key);
        Rate FarRate(string key, Rate near) => oneNode && !costs.Has(key) ? near : CostReader.Rate(costs, key);
        Cost wake = Time("wakeSameNode"), interrupt = Time("interruptSameNode");
        Cost take = Time("lockSameNode"), handOver = Time("handOverSameNode");
        Rate copy = CostReader.Rate(costs, "copyLocal"), memory = CostReader.Rate(costs, "nodeMemory");
        var model = new CostModel
        {
            SystemCall = Time("systemCall"),
            ContextSwitch = Time("contextSwitch"),
            TimeSlice = CostReader.Time(costs, "timeSlice", leastNanoseconds: 1),
            WakePreemptsAfter = Time("wakePreemptsAfter"),
            WakeSameCpu = Time("wakeSameCpu"),
            Block = Time("block"),
            WakeSameNode = wake,
            WakeOtherNode = Far("wakeOtherNode", wake),
            InterruptSend = Time("interruptSend"),
            InterruptSameNode = interrupt,
            InterruptOtherNode = Far("interruptOtherNode", interrupt),
            IdleExitShallow = Time("idleExitShallow"),
            IdleExitDeep = Time("idleExitDeep"),
            IdleDeepAfter = Time("idleDeepAfter"),
            LockSameCpu = Time("lockSameCpu"),
            LockSameNode = take,
            LockOtherNode = Far("lockOtherNode", take),
            HandOverSameNode = handOver,
            HandOverOtherNode = Far("handOverOtherNode", handOver),
            HandOverPerWaiter = Time("handOverPerWaiter"),
            MutexSpin = Time("mutexSpin"),
            CopyStart = Time("copyStart"),
            CopyLocal = copy,
            CopyRemote = FarRate("copyRemote", copy),
            NodeMemory = memory,
            NodeLink = FarRate("nodeLink", memory),
        };
        costs.RefuseUnknownKeys();
        return model;
    }

    static Dictionary<string, LayerCosts> ReadLayers(YamlSection root)
    {
        var layers = new Dictionary<string, LayerCosts>();
        if (root.Has("layers"))
        {
            YamlSection section = root.Section("layers");
            foreach (string name in section.Names)
            {
                layers.Add(name, CostReader.Layer(section, name));
            }
        }
        return layers;
    }
}
