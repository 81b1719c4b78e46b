using System.CommandLine;
using Harness.Experiments.Checking;

namespace Harness.Experiments.Commands;

/// <summary><c>./harness check</c>: looks for violations of consistency in simulated clusters to which things happen.</summary>
internal static class CheckCommand
{
    private const long SeedsDefault = 1000;

    /// <summary>The command.</summary>
    public static Command Create()
    {
        var seeds = new Option<long>("--seeds")
        {
            Description = $"How many schedules, one of each seed (default {SeedsDefault})",
            DefaultValueFactory = _ => SeedsDefault,
            HelpName = "N",
        };
        var from = new Option<ulong>("--from") { Description = "The first seed (default 1)", DefaultValueFactory = _ => 1, HelpName = "S" };
        var json = new Option<bool>("--json") { Description = "Print the report as JSON" };
        var command = new Command("check", "Runs clusters in simulated worlds, with faults, and checks what their clients saw for linearizability and losses.")
        {
            seeds, from, json,
        };
        command.SetAction(parsed =>
        {
            long count = parsed.GetValue(seeds);
            if (count < 1)
            {
                throw new BadArgumentsException("--seeds must be at least 1.");
            }

            using var interruption = new Interruption();
            CheckReport report = new CheckCampaign(parsed.GetValue(from), count, Console.Error, interruption.Token).Run();
            Console.WriteLine(parsed.GetValue(json) ? report.ToJson() : report.ToString());
            return report.Violations > 0 ? ExitCode.CheckFailed
                : report.Schedules < count ? ExitCode.Interrupted
                : ExitCode.Done;
        });
        return command;
    }
}
