using Harness.Cluster.Chunks;
using Harness.Cluster.Hosting;
using Harness.Cluster.Net;
using Harness.FuseProtocol;
using Harness.Runtime;
using Harness.Tests.Experiments.Backends;
using Mono.Unix.Native;

namespace Harness.Tests.Cluster.Metadata;

/// <summary>What <see cref="ClusterCheck"/> finds.</summary>
public sealed class ClusterCheckTests : IDisposable
{
    private const ulong Root = FileSystemClient.Root;

    /// <summary>O_DIRECT (include/uapi/asm-generic/fcntl.h): all replicas have the data when the write returns.</summary>
    private const int Direct = 0x4000;

    private readonly string _directory = Directory.CreateTempSubdirectory("harness-cluster-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task AClusterThatLacksNothingHasNoFindings()
    {
        using EmbeddedCluster cluster = await Start();
        CheckReport report = await Check(cluster, scrub: true);
        Assert.Empty(report.Findings);
        Assert.Equal((1, 3), (report.Chunks, report.Replicas));
        Assert.True(report.ScrubbedBlocks >= 3 * 100, $"{report.ScrubbedBlocks} blocks");
        await cluster.Stop();
    }

    [Fact]
    public async Task AReplicaThatIsNotThereIsFound()
    {
        using EmbeddedCluster cluster = await Start();
        await Ask(cluster, 2, ChunkKind.Delete);
        CheckFinding finding = Assert.Single((await Check(cluster, scrub: false)).Findings);
        Assert.Equal((FindingKind.MissingReplica, 2u), (finding.Kind, finding.Server));
        await cluster.Stop();
    }

    [Fact]
    public async Task AReplicaOfNoFileIsFound()
    {
        using EmbeddedCluster cluster = await Start();
        await Ask(cluster, 3, ChunkKind.Create, chunk: 77, version: 1);
        CheckFinding finding = Assert.Single((await Check(cluster, scrub: false)).Findings);
        Assert.Equal((FindingKind.Orphan, 3u, 77UL), (finding.Kind, finding.Server, finding.Chunk));
        await cluster.Stop();
    }

    [Fact]
    public async Task ADamagedBlockIsFoundAndRepaired()
    {
        using (EmbeddedCluster cluster = await Start())
        {
            await cluster.Stop();
        }

        string file = Assert.Single(Directory.GetFiles(Path.Combine(_directory, "cs1", "chunks"), "*.data"));
        using (var chunk = new FileStream(file, FileMode.Open, FileAccess.ReadWrite))
        {
            chunk.Position = 5000;
            int was = chunk.ReadByte();
            chunk.Position = 5000;
            chunk.WriteByte((byte)~was);
        }

        using EmbeddedCluster again = await Start(write: false);
        CheckReport report = await Check(again, scrub: true);
        Assert.Contains(report.Findings, static finding => finding is { Kind: FindingKind.Damaged, Server: 1 });
        Assert.Equal(1, report.RepairedBlocks);
        Assert.Empty((await Check(again, scrub: true)).Findings);
        await again.Stop();
    }

    private static async Task<CheckReport> Check(EmbeddedCluster cluster, bool scrub)
    {
        Result<CheckReport> report = await ClusterCheck.Run(cluster.Metadata.Address, scrub);
        Assert.Equal(Errnos.Ok, report.Error);
        return report.Value;
    }

    /// <summary>Asks a chunk server behind the metadata server's back.</summary>
    private static async Task Ask(EmbeddedCluster cluster, uint server, ushort kind, ulong chunk = 1, ulong version = 0)
    {
        string address = (await cluster.Metadata.Status()).Servers.Single(each => each.Server == server).Address;
        Assert.True(NodeAddress.TryParse(address, out NodeAddress parsed));
        using var loop = new EventLoop("test");
        await MetadataHost.OnLoop(loop, async () =>
        {
            var link = new PeerLink(loop, new SocketNetwork(), parsed, Hello.Of(NodeRole.Client, 0, 1), NoRequests.Instance, new PayloadPool(1 << 20));
            RpcPeer peer = (await link.Get())!;
            RpcReply reply = await peer.Call(kind, new ChunkRequest { Chunk = chunk, Version = version }, default, default, 5_000_000_000);
            link.Close();
            return reply.IsOk;
        });
    }

    private async Task<EmbeddedCluster> Start(bool write = true)
    {
        Result<EmbeddedCluster> started = await EmbeddedCluster.Start(new EmbeddedClusterOptions { Directory = _directory });
        Assert.Equal(Errnos.Ok, started.Error);
        EmbeddedCluster cluster = started.Value;
        await Task.Run(() =>
        {
            var fs = new FileSystemClient(cluster.FileSystem);
            if (write)
            {
                ulong file = fs.Create(Root, "file").Ok().Entry.Nodeid;
                fs.Write(file, 0, new byte[] { 1, 2, 3 }.Concat(Enumerable.Repeat((byte)9, 500_000)).ToArray(), (OpenFlags)Direct).Ok();
            }
            else
            {
                // Chunks are revived when all servers are back.
                ulong file = fs.Lookup(Root, "file").Ok().Nodeid;
                fs.Read(file, 0, 10).Ok();
            }
        });
        return cluster;
    }
}
