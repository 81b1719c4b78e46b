using System.Net.NetworkInformation;
using Harness.Cluster.Hosting;
using Harness.FuseProtocol;
using Harness.Tests.Experiments.Backends;

namespace Harness.Tests.Cluster.Metadata;

/// <summary>The real side: sockets, files, threads.</summary>
public sealed class EmbeddedClusterTests : IDisposable
{
    private const ulong Root = FileSystemClient.Root;

    private readonly string _directory = Directory.CreateTempSubdirectory("harness-cluster-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task WhatWasWrittenIsThereAfterAStop()
    {
        byte[] data = new byte[300_000];
        new Random(1).NextBytes(data);
        using (EmbeddedCluster cluster = await Start())
        {
            await Task.Run(() =>
            {
                var fs = new FileSystemClient(cluster.FileSystem);
                ulong directory = fs.Mkdir(Root, "directory").Ok().Nodeid;
                ulong file = fs.Create(directory, "file").Ok().Entry.Nodeid;
                fs.Write(file, 0, data).Ok();
            });
            await cluster.Stop();
        }

        using EmbeddedCluster again = await Start();
        await Task.Run(() =>
        {
            var fs = new FileSystemClient(again.FileSystem);
            ulong file = fs.Lookup(fs.Lookup(Root, "directory").Ok().Nodeid, "file").Ok().Nodeid;
            Assert.Equal(data, fs.Read(file, 0, data.Length).Ok());
        });
        await again.Stop();
    }

    [Fact]
    public async Task ItOpensNoPort()
    {
        using EmbeddedCluster cluster = await Start();
        int[] numbers = [cluster.Metadata.Address.Port, .. cluster.Servers.Select(static server => server.Address.Port)];
        int[] ports = [.. IPGlobalProperties.GetIPGlobalProperties().GetActiveTcpListeners().Select(static endPoint => endPoint.Port)];
        Assert.Equal(4, numbers.Distinct().Count());
        Assert.Empty(numbers.Intersect(ports));
        await cluster.Stop();
    }

    private async Task<EmbeddedCluster> Start()
    {
        Result<EmbeddedCluster> cluster = await EmbeddedCluster.Start(new EmbeddedClusterOptions { Directory = _directory });
        Assert.Equal(Errnos.Ok, cluster.Error);
        return cluster.Value;
    }
}
