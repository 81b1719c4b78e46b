using System.CommandLine;
using Harness.Experiments.Running;

namespace Harness.Experiments.Commands;

/// <summary><c>./harness run</c>: measures what a plan says, and leaves results, tables and maps.</summary>
internal static class RunCommand
{
    private const string DefaultPlan = "experiments.yaml";

    /// <summary>The command.</summary>
    public static Command Create()
    {
        var file = new Argument<string?>("FILE") { Description = $"The plan (default {DefaultPlan})", Arity = ArgumentArity.ZeroOrOne };
        var only = new Option<string?>("--only") { Description = "Run one experiment of the plan", HelpName = "NAME" };
        var quick = new Option<bool>("--quick") { Description = "Fewer and shorter trials of the same cells" };
        var output = new Option<string>("--out") { Description = "Where the run's directory is made", HelpName = "DIR", DefaultValueFactory = _ => "runs" };
        var resume = new Option<string?>("--resume") { Description = "Go on with an interrupted run in its directory", HelpName = "DIR" };
        var explain = new Option<bool>("--explain")
        {
            Description = "Also say where requests' time goes, stage by stage, once for each workload on each configuration (slows these trials a little)",
        };
        var command = new Command("run", "Runs experiments on real mounts and compares configurations.") { file, only, quick, explain, output, resume };
        command.SetAction(async (parsed, _) =>
        {
            RunSetup setup = parsed.GetValue(resume) is string directory
                ? Resume(parsed, directory, file, only, quick, parsed.GetValue(explain))
                : RunSetup.New(
                    parsed.GetValue(file) ?? DefaultPlan, parsed.GetValue(only), parsed.GetValue(quick), parsed.GetValue(explain), parsed.GetValue(output)!);
            using var interruption = new Interruption();
            return await setup.Run(interruption.Token).ConfigureAwait(false);
        });
        return command;
    }

    private static RunSetup Resume(ParseResult parsed, string directory, Argument<string?> file, Option<string?> only, Option<bool> quick, bool explains)
    {
        if (parsed.GetValue(file) is not null || parsed.GetValue(only) is not null || parsed.GetValue(quick))
        {
            throw new BadArgumentsException("--resume goes on with the plan that the directory keeps; name no other, and neither --only nor --quick.");
        }

        return RunSetup.Resume(directory, explains);
    }
}
