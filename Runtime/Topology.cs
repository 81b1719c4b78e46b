namespace Harness.Runtime;

/// <summary>One NUMA node.</summary>
/// <param name="Number">As the kernel counts.</param>
/// <param name="Cpus">Its CPUs; none on a node of memory alone.</param>
/// <param name="Distances">To each node, in the order of their numbers; 10 is its own memory (ACPI SLIT).</param>
public sealed record NumaNode(int Number, CpuSet Cpus, IReadOnlyList<int> Distances);

/// <summary>The machine's CPUs and NUMA nodes, as sysfs describes them.</summary>
/// <param name="Possible">CPUs that may ever be there; FUSE over io_uring wants a queue for each (fs/fuse/dev_uring.c).</param>
/// <param name="Online">CPUs that run now.</param>
/// <param name="Nodes">NUMA nodes; exactly one, with all CPUs, where the kernel knows of none.</param>
public sealed record Topology(CpuSet Possible, CpuSet Online, IReadOnlyList<NumaNode> Nodes)
{
    /// <summary>Where the kernel describes the machine.</summary>
    public const string SystemRoot = "/sys/devices/system";

    private const int OwnDistance = 10;

    private static readonly Lazy<Topology> s_current = new(() => Read(SystemRoot));

    /// <summary>This machine's.</summary>
    public static Topology Current => s_current.Value;

    /// <summary>Reads a machine from a sysfs tree, this machine's or a made-up one.</summary>
    /// <param name="root">What stands for <see cref="SystemRoot"/>.</param>
    /// <exception cref="FormatException">A file there is not what the kernel would write.</exception>
    public static Topology Read(string root)
    {
        CpuSet online = ReadSet(Path.Combine(root, "cpu/online")) ?? new CpuSet(Enumerable.Range(0, Environment.ProcessorCount));
        CpuSet possible = ReadSet(Path.Combine(root, "cpu/possible")) ?? online;
        CpuSet? numbers = ReadSet(Path.Combine(root, "node/online"));
        if (numbers is null)
        {
            return new Topology(possible, online, [new NumaNode(0, possible, [OwnDistance])]);
        }

        var nodes = new List<NumaNode>();
        foreach (int number in numbers.Numbers)
        {
            string directory = Path.Combine(root, $"node/node{number}");
            CpuSet cpus = ReadSet(Path.Combine(directory, "cpulist")) ?? throw new FormatException($"{directory} has no cpulist.");
            nodes.Add(new NumaNode(number, cpus, ReadDistances(directory, numbers.Count)));
        }

        return new Topology(possible, online, nodes);
    }

    /// <summary>The node that a CPU belongs to; the first one for a CPU that belongs to none, as one that is offline.</summary>
    public NumaNode NodeOf(int cpu) => Nodes.FirstOrDefault(node => node.Cpus.Contains(cpu)) ?? Nodes[0];

    private static CpuSet? ReadSet(string path) => File.Exists(path) ? CpuSet.Parse(File.ReadAllText(path)) : null;

    private static int[] ReadDistances(string directory, int count)
    {
        string path = Path.Combine(directory, "distance");
        int[] distances = File.Exists(path)
            ? [.. File.ReadAllText(path).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).Select(int.Parse)]
            : [.. Enumerable.Repeat(OwnDistance, count)];
        return distances.Length == count ? distances : throw new FormatException($"{path} has {distances.Length} distances for {count} nodes.");
    }
}
