using Harness.Cluster.Chunks;
using Harness.Cluster.Hosting;
using Harness.FuseProtocol;
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
        Assert.Equal(Errnos.Ok, await cluster.Servers[1].Run(async server => await server.Store.Delete(new ChunkId(1))));
        CheckFinding finding = Assert.Single((await Check(cluster, scrub: false)).Findings);
        Assert.Equal((FindingKind.MissingReplica, 2u), (finding.Kind, finding.Server));
        await cluster.Stop();
    }

    [Fact]
    public async Task AReplicaOfNoFileIsFound()
    {
        using EmbeddedCluster cluster = await Start();
        Assert.Equal(Errnos.Ok, await cluster.Servers[2].Run(async server => await server.Store.Create(new ChunkId(77), 1)));
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
