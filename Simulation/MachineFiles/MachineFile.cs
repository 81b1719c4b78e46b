using Harness.Simulation.Machines;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Harness.Simulation.MachineFiles;

/// <summary>Reads machine files: <c>machines/*.yaml</c>, whose form <c>docs/simulator.md</c> describes.</summary>
public static class MachineFile
{
    internal const string Root = "the file";

    const int DistanceMax = 254;

    /// <summary>Where the machine files that come with the program are.</summary>
    public static string Directory => Path.Combine(AppContext.BaseDirectory, "machines");

    /// <summary>The names of the machines that come with the program, in alphabetical order.</summary>
    public static IReadOnlyList<string> Names =>
        [.. System.IO.Directory.GetFiles(Directory, "*.yaml").Select(file => Path.GetFileNameWithoutExtension(file)).Order(StringComparer.Ordinal)];

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
                : $"There is no machine '{nameOrPath}'. {NearestName.Suggest(nameOrPath, Names)} For a file of your own give a path that ends in .yaml.");
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
        var description = new MachineDescription
        {
            Name = root.Text("name"),
            Description = root.TextOr("description", ""),
            CpusOfNode = cpusOfNode,
            Distances = distances,
            TopologySource = topologySource,
            Costs = ReadCosts(root.Section("costs")),
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
            throw topology.Error($"{path} has {rows.Count} rows for {nodes} nodes. Allowed: a square matrix with one row and one column per node.");
        }
        var distances = new int[nodes][];
        for (int from = 0; from < nodes; from++)
        {
            IReadOnlyList<YamlNode> row = topology.Items(rows[from], $"{path}[{from}]");
            if (row.Count != nodes)
            {
                throw topology.Error(rows[from], $"{path}[{from}] has {row.Count} columns for {nodes} nodes. "
                    + "Allowed: a square matrix with one row and one column per node.");
            }
            distances[from] = [.. row.Select((cell, to) => from == to
                ? topology.Number(cell, $"{path}[{from}][{to}]", MachineDescription.LocalDistance, MachineDescription.LocalDistance,
                    "the distance of a node to itself")
                : topology.Number(cell, $"{path}[{from}][{to}]", MachineDescription.LocalDistance + 1, DistanceMax,
                    "the distance of two nodes"))];
        }
        return distances;
    }

    static CostModel ReadCosts(YamlSection costs)
    {
        var model = new CostModel
        {
            SystemCall = CostReader.Time(costs, "systemCall"),
            ContextSwitch = CostReader.Time(costs, "contextSwitch"),
            TimeSlice = CostReader.Time(costs, "timeSlice", leastNanoseconds: 1),
            WakeSameCpu = CostReader.Time(costs, "wakeSameCpu"),
            WakeSameNode = CostReader.Time(costs, "wakeSameNode"),
            WakeOtherNode = CostReader.Time(costs, "wakeOtherNode"),
            InterruptSend = CostReader.Time(costs, "interruptSend"),
            InterruptSameNode = CostReader.Time(costs, "interruptSameNode"),
            InterruptOtherNode = CostReader.Time(costs, "interruptOtherNode"),
            IdleExitShallow = CostReader.Time(costs, "idleExitShallow"),
            IdleExitDeep = CostReader.Time(costs, "idleExitDeep"),
            IdleDeepAfter = CostReader.Time(costs, "idleDeepAfter"),
            LockSameCpu = CostReader.Time(costs, "lockSameCpu"),
            LockSameNode = CostReader.Time(costs, "lockSameNode"),
            LockOtherNode = CostReader.Time(costs, "lockOtherNode"),
            HandOverSameNode = CostReader.Time(costs, "handOverSameNode"),
            HandOverOtherNode = CostReader.Time(costs, "handOverOtherNode"),
            HandOverPerWaiter = CostReader.Time(costs, "handOverPerWaiter"),
            MutexSpin = CostReader.Time(costs, "mutexSpin"),
            CopyStart = CostReader.Time(costs, "copyStart"),
            CopyLocal = CostReader.Rate(costs, "copyLocal"),
            CopyRemote = CostReader.Rate(costs, "copyRemote"),
            NodeMemory = CostReader.Rate(costs, "nodeMemory"),
            NodeLink = CostReader.Rate(costs, "nodeLink"),
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
