using System.CommandLine;
using Harness.Experiments.Observing;

namespace Harness.Experiments.Commands;

/// <summary><c>./harness stats</c>: what a mount has been asked for, and how long it took.</summary>
internal static class StatsCommand
{
    private static readonly TimeSpan s_interval = TimeSpan.FromSeconds(1);

    /// <summary>The command.</summary>
    public static Command Create()
    {
        var mountPoint = new Argument<string>("MOUNTPOINT") { Description = "A running mount of ./harness mount, one's own or, for root, anybody's" };
        var json = new Option<bool>("--json") { Description = "As JSON, one object a line" };
        var watch = new Option<bool>("--watch") { Description = "Print what came in each second, until Ctrl-C" };
        var command = new Command(
            "stats",
            $"Counts a mount's requests by operation, with the time that the daemon took for them (one in {SlotCounters.TimedOneIn} is timed).")
        {
            mountPoint, json, watch,
        };
        command.SetAction(async (parsed, _) =>
        {
            using var interruption = new Interruption();
            string path = Path.GetFullPath(parsed.GetValue(mountPoint)!);
            string Render(MountStats stats) => parsed.GetValue(json) ? StatsJson.Render(path, stats) : StatsTable.Render(stats);
            using ControlClient client = await ControlClient.Connect(path, interruption.Token).ConfigureAwait(false);
            MountStats last = await client.Stats(interruption.Token).ConfigureAwait(false);
            if (!parsed.GetValue(json))
            {
                Console.WriteLine(last.Description);
            }

            Console.WriteLine(Render(last));
            return parsed.GetValue(watch) ? await Watch(client, last, Render, interruption.Token).ConfigureAwait(false) : ExitCode.Done;
        });
        return command;
    }

    private static async Task<int> Watch(ControlClient client, MountStats last, Func<MountStats, string> render, CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(s_interval);
        try
        {
            while (await timer.WaitForNextTickAsync(cancellationToken).ConfigureAwait(false))
            {
                MountStats now = await client.Stats(cancellationToken).ConfigureAwait(false);
                Console.WriteLine(render(now.Since(last)));
                last = now;
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Ctrl-C is how watching ends.
            return ExitCode.Done;
        }

        return ExitCode.Done;
    }
}
