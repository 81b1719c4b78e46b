using System.CommandLine;
using System.Globalization;
using Harness.Cluster.Checking;

namespace Harness.Experiments.Commands;

/// <summary><c>./harness replay</c>: shows what happened in one schedule of <c>./harness check</c>.</summary>
internal static class ReplayCommand
{
    /// <summary>The command.</summary>
    public static Command Create()
    {
        var seed = new Argument<ulong>("SEED") { Description = "The schedule's seed, as check has printed it" };
        var command = new Command("replay", "Runs one schedule of the check again and shows it step by step, with the virtual time in seconds.") { seed };
        command.SetAction(parsed =>
        {
            Schedule schedule = ScheduleGenerator.Generate(parsed.GetValue(seed));
            string plan = $"{schedule.Servers} chunk servers, {schedule.Operations.Count} operations planned, {schedule.Faults.Count} faults";
            Console.WriteLine($"seed {schedule.Seed}: {plan}");
            ScheduleResult result = ScheduleRun.Execute(schedule, note: Console.WriteLine);
            foreach (Violation violation in result.Violations)
            {
                Console.WriteLine();
                Console.WriteLine($"VIOLATION: {violation.What}");
                foreach (string line in violation.Story)
                {
                    Console.WriteLine($"    {line}");
                }
            }

            Console.WriteLine();
            double hours = result.SimulatedNanoseconds / 3.6e12;
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"1 schedules, {result.Operations} operations, {hours:F1} simulated hours, {result.Violations.Count} violations"));
            return result.Violations.Count == 0 ? ExitCode.Done : ExitCode.CheckFailed;
        });
        return command;
    }
}
