using System.CommandLine;
using System.Text.Json;
using Harness.Cluster.Hosting;
using Harness.Cluster.Net;
using Harness.Experiments.Clusters;
using Harness.FuseProtocol;
using Harness.Transport;

namespace Harness.Experiments.Commands;

/// <summary><c>./harness cluster fsck</c>: the metadata against what the chunk servers have.</summary>
internal static class ClusterCheckCommand
{
    /// <summary>The command.</summary>
    public static Command Create()
    {
        var directory = new Option<string?>("--dir") { Description = "The cluster's directory on this host", HelpName = "DIR" };
        var metadata = new Option<string?>("--mds")
        {
            Description = "Or where its metadata server listens, for a cluster of many hosts",
            HelpName = "HOST:PORT",
        };
        var scrub = new Option<bool>("--scrub") { Description = "Also read every block, compare it with its checksum, and repair it from another replica" };
        var json = new Option<bool>("--json") { Description = "As JSON, one object" };
        var command = new Command(
            "fsck",
            "Checks the metadata against the chunk servers: missing and superfluous replicas, versions, and that replicas are equal. It may be " +
            "used while the cluster is. Ends with code 1 if something is wrong.")
        {
            directory, metadata, scrub, json,
        };
        command.SetAction(async (parsed, _) =>
        {
            NodeAddress address = AddressOf(parsed.GetValue(directory), parsed.GetValue(metadata));
            Result<CheckReport> checkedCluster = await ClusterCheck.Run(Addresses.Resolve(address), parsed.GetValue(scrub)).ConfigureAwait(false);
            if (!checkedCluster.IsOk)
            {
                throw new FuseTransportException(
                    $"No metadata server answers at {address} ({checkedCluster.Error}): the cluster is checked while it is up. ./harness cluster up --dir DIR");
            }

            CheckReport report = checkedCluster.Value;
            Console.WriteLine(parsed.GetValue(json) ? RenderJson(report) : Render(report));
            return report.Findings.Count == 0 ? ExitCode.Done : ExitCode.CheckFailed;
        });
        return command;
    }

    /// <summary>Which metadata server is meant.</summary>
    /// <exception cref="BadArgumentsException">None, or two.</exception>
    public static NodeAddress AddressOf(string? directory, string? metadata) => (directory, metadata) switch
    {
        (string path, null) => Addresses.Read("listen", ClusterDirectory.Open(path).Config().Listen),
        (null, string address) => Addresses.Read("--mds", address),
        _ => throw new BadArgumentsException("Give --dir DIR for a cluster of this host, or --mds HOST:PORT."),
    };

    private static string Render(CheckReport report)
    {
        string scrubbed = report.ScrubbedBlocks > 0 ? $", {report.ScrubbedBlocks:N0} blocks read, {report.RepairedBlocks:N0} repaired" : string.Empty;
        string summary = $"cluster {report.Cluster:x16}: {report.Chunks:N0} chunks, {report.Replicas:N0} replicas{scrubbed}: " +
            (report.Findings.Count == 0 ? "all is well" : $"{report.Findings.Count:N0} findings");
        return string.Join('\n', report.Findings.Select(static finding => finding.Text).Append(summary));
    }

    private static string RenderJson(CheckReport report) => JsonSerializer.Serialize(new
    {
        cluster = $"{report.Cluster:x16}",
        chunks = report.Chunks,
        replicas = report.Replicas,
        scrubbed_blocks = report.ScrubbedBlocks,
        repaired_blocks = report.RepairedBlocks,
        findings = report.Findings.Select(static finding => new
        {
            kind = JsonNamingPolicy.SnakeCaseLower.ConvertName(finding.Kind.ToString()),
            chunk = finding.Chunk == 0 ? null : $"{finding.Chunk:x16}",
            server = finding.Server == 0 ? (uint?)null : finding.Server,
            text = finding.Text,
        }),
    });
}
