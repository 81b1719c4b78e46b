using System.CommandLine;
using System.Security.Cryptography;
using Harness.Experiments.Fuzz;

namespace Harness.Experiments.Commands;

/// <summary><c>./harness fuzz</c>: sends a session what no kernel should.</summary>
internal static class FuzzCommand
{
    private const long MessagesDefault = 1_000_000;

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
        var command = new Command("fuzz", "Sends generated and damaged messages to a session and looks for crashes, hangs and lost answers.")
        {
            messages, seed,
        };
        command.SetAction(parsed =>
        {
            if (parsed.GetValue(messages) < 1)
            {
                throw new BadArgumentsException("--messages must be at least 1.");
            }

            ulong chosen = parsed.GetValue(seed) ?? (ulong)RandomNumberGenerator.GetInt32(int.MaxValue);
            Console.Error.WriteLine($"fuzz: repeat with ./harness fuzz --messages {parsed.GetValue(messages)} --seed {chosen}");
            FuzzReport report = FuzzCampaign.Run(parsed.GetValue(messages), chosen, Console.Error);
            Console.WriteLine(report);
            return report.Failure is null ? ExitCode.Done : ExitCode.CheckFailed;
        });
        return command;
    }
}
