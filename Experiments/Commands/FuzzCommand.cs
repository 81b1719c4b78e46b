using System.CommandLine;
using System.Diagnostics;
using System.Security.Cryptography;
using Harness.Cluster.Checking;
using Harness.Experiments.Fuzz;

namespace Harness.Experiments.Commands;

/// <summary><c>./harness fuzz</c>: sends a session what no kernel should.</summary>
internal static class FuzzCommand
{
    private const long MessagesDefault = 1_000_000;
    private const int ProgressSeconds = 5;

    /// <summary>The command.</summary>
    public static Command Create()
    {
        var messages = new Option<long>("--messages")
        {
            Description = $"How many messages (default {MessagesDefault})",
            DefaultValueFactory = _ => MessagesDefault,
            HelpName = "N",
        };
        var seed = new Option<ulong?>("--seed") { Description = "Repeats a campaign (default: another each time, printed)", HelpName = "S" };
        var cluster = new Option<bool>("--cluster") { Description = "Send malformed frames to the servers of a simulated cluster instead" };
        var command = new Command("fuzz", "Sends generated and damaged messages to a session and looks for crashes, hangs and lost answers.")
        {
            messages, seed, cluster,
        };
        command.SetAction(parsed =>
        {
            if (parsed.GetValue(messages) < 1)
            {
                throw new BadArgumentsException("--messages must be at least 1.");
            }

            ulong chosen = parsed.GetValue(seed) ?? (ulong)RandomNumberGenerator.GetInt32(int.MaxValue);
            string target = parsed.GetValue(cluster) ? " --cluster" : string.Empty;
            Console.Error.WriteLine($"fuzz: repeat with ./harness fuzz{target} --messages {parsed.GetValue(messages)} --seed {chosen}");
            if (parsed.GetValue(cluster))
            {
                return FuzzCluster(parsed.GetValue(messages), chosen);
            }

            FuzzReport report = FuzzCampaign.Run(parsed.GetValue(messages), chosen, Console.Error);
            Console.WriteLine(report);
            return report.Failure is null ? ExitCode.Done : ExitCode.CheckFailed;
        });
        return command;
    }

    private static int FuzzCluster(long frames, ulong seed)
    {
        using var interruption = new Interruption();
        var watch = Stopwatch.StartNew();
        FrameFuzzReport report = FrameFuzz.Run(
            frames,
            seed,
            sent =>
            {
                if (watch.Elapsed.TotalSeconds >= ProgressSeconds)
                {
                    watch.Restart();
                    Console.Error.WriteLine($"fuzz: seed {seed}, {sent} of {frames} frames");
                }
            },
            interruption.Token);
        Console.WriteLine(report);
        return report.Failure is not null ? ExitCode.CheckFailed : report.Frames < frames ? ExitCode.Interrupted : ExitCode.Done;
    }
}
