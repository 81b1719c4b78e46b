using System.CommandLine;
using Harness.Experiments.Observing;
using Harness.Experiments.Plan.Values;

namespace Harness.Experiments.Commands;

/// <summary><c>./harness explain</c>: where the time of a running mount's requests goes, stage by stage.</summary>
internal static class ExplainCommand
{
    private const int SecondsDefault = 5;
    private const int SecondsMax = 3600;

    private static readonly ValueKind s_seconds = ValueKind.Integer(1, SecondsMax);

    /// <summary>The command.</summary>
    public static Command Create()
    {
        var mountPoint = new Argument<string>("MOUNTPOINT") { Description = "A running mount of ./harness mount, of any channel" };
        var seconds = new Option<string>("--seconds")
        {
            Description = "For how long to watch",
            HelpName = "N",
            DefaultValueFactory = _ => $"{SecondsDefault}",
        };
        var json = new Option<bool>("--json") { Description = "As JSON" };
        var plot = new Option<string?>("--plot") { Description = "Draw the stages into this file as well", HelpName = "FILE.png" };
        var command = new Command(
            "explain",
            "Says where the time of a running mount's requests goes: system call, queue, wake-up, copy, session, file system, reply. The " +
            "kernel's stages need root and tracefs; requests are stamped only while this command is attached.")
        {
            mountPoint, seconds, json, plot,
        };
        command.SetAction(async (parsed, _) =>
        {
            TimeSpan duration = TimeSpan.FromSeconds(s_seconds.TryParse(parsed.GetValue(seconds)!, out ScalarValue value, out string complaint)
                ? value.Number
                : throw new BadArgumentsException($"{seconds.Name}: {complaint}; allowed: {s_seconds.Expectation}."));
            string? picture = CheckPlot(parsed.GetValue(plot));
            using var interruption = new Interruption();
            Explanation explanation;
            using (Explainer explainer = await Explainer.Attach(parsed.GetValue(mountPoint)!, interruption.Token).ConfigureAwait(false))
            {
                explanation = await explainer.Watch(duration, interruption.Token).ConfigureAwait(false);
            }

            return Report(explanation, parsed.GetValue(mountPoint)!, parsed.GetValue(json), picture);
        });
        return command;
    }

    private static string? CheckPlot(string? path)
    {
        if (path is null)
        {
            return null;
        }

        string whole = Path.GetFullPath(path);
        return !whole.EndsWith(".png", StringComparison.OrdinalIgnoreCase)
            ? throw new BadArgumentsException($"--plot: {path} does not end in .png, the only format there is.")
            : Directory.Exists(Path.GetDirectoryName(whole)) ? whole : throw new BadArgumentsException($"--plot: there is no directory for {whole}.");
    }

    private static int Report(Explanation explanation, string mountPoint, bool json, string? picture)
    {
        if (json)
        {
            Console.WriteLine(ExplanationJson.Render(explanation));
        }

        if (explanation.Opcodes.Count == 0)
        {
            CommandLine.Fail(
                $"no request came to {mountPoint} within {explanation.Watched.TotalSeconds:0.0} s. Explain watches what others do: put load on the mount " +
                "(fio, cp, ls) at the same time.");
            return ExitCode.CheckFailed;
        }

        if (!json)
        {
            Console.Write(ExplanationText.Render(explanation));
        }

        if (picture is not null)
        {
            ExplanationPicture.Write(picture, explanation);
            Console.Error.WriteLine($"picture: {picture}");
        }

        return ExitCode.Done;
    }
}
