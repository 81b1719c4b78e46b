using Harness.Runtime;

namespace Harness.Tests.Runtime;

public sealed class TopologyTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("harness-sysfs-").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Theory]
    [InlineData(1, 2)]
    [InlineData(2, 20)]
    [InlineData(4, 8)]
    [InlineData(8, 16)]
    public void MadeUpMachineIsReadWhole(int nodes, int cpusPerNode)
    {
        Make(nodes, cpusPerNode);
        Topology topology = Topology.Read(_root);

        Assert.Equal(nodes * cpusPerNode, topology.Possible.Count);
        Assert.Equal(nodes, topology.Nodes.Count);
        foreach (NumaNode node in topology.Nodes)
        {
            Assert.Equal(cpusPerNode, node.Cpus.Count);
            Assert.Equal(10, node.Distances[node.Number]);
            Assert.All(node.Cpus.Numbers, cpu => Assert.Same(node, topology.NodeOf(cpu)));
        }
    }

    [Fact]
    public void MachineWithoutNumaIsOneNode()
    {
        Write("cpu/online", "0-3");
        Write("cpu/possible", "0-7");
        Topology topology = Topology.Read(_root);

        NumaNode node = Assert.Single(topology.Nodes);
        Assert.Equal(8, node.Cpus.Count);
        Assert.Equal(4, topology.Online.Count);
    }

    [Fact]
    public void DistancesThatDoNotMatchTheNodesAreRefused()
    {
        Make(2, 1);
        Write("node/node1/distance", "20 10 30");
        FormatException error = Assert.Throws<FormatException>(() => Topology.Read(_root));
        Assert.Contains("node1/distance has 3 distances for 2 nodes", error.Message, StringComparison.Ordinal);
    }

    private void Make(int nodes, int cpusPerNode)
    {
        Write("cpu/online", $"0-{(nodes * cpusPerNode) - 1}");
        Write("cpu/possible", $"0-{(nodes * cpusPerNode) - 1}");
        Write("node/online", nodes == 1 ? "0" : $"0-{nodes - 1}");
        for (int node = 0; node < nodes; node++)
        {
            Write($"node/node{node}/cpulist", $"{node * cpusPerNode}-{((node + 1) * cpusPerNode) - 1}\n");
            Write($"node/node{node}/distance", string.Join(' ', Enumerable.Range(0, nodes).Select(other => other == node ? 10 : 21)));
        }
    }

    private void Write(string file, string text)
    {
        string path = Path.Combine(_root, file);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
    }
}
