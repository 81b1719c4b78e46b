using System.CommandLine;
using Harness.Experiments.Conformance;
using Harness.Experiments.Plan;

namespace Harness.Experiments.Commands;

/// <summary><c>./harness conformance</c>: the same system calls on the real kernel and on the simulated one, and the messages compared.</summary>
internal static class ConformanceCommand
{
    /// <summary>The command.</summary>
    public static Command Create()
    {
        var files = new Argument<string[]>("SCRIPTS")
        {
            Description = "Files of scripts (default: those of the project)",
            Arity = ArgumentArity.ZeroOrMore,
        };
        var only = new Option<string?>("--only") { Description = "Runs the scripts whose names contain this", HelpName = "TEXT" };
        var random = new Option<int>("--random") { Description = "Runs so many generated scripts instead", HelpName = "N" };
        var seed = new Option<ulong>("--seed") { Description = "What they are generated from (default 1)", DefaultValueFactory = _ => 1, HelpName = "S" };
        var command = new Command("conformance", "Runs scripts of system calls on the real kernel and on the simulated one and compares the messages.")
        {
            files, only, random, seed,
        };
        command.SetAction(parsed =>
        {
            IEnumerable<Script> scripts = parsed.GetValue(random) > 0
                ? Enumerable.Range(0, parsed.GetValue(random)).Select(i => RandomScripts.Generate(parsed.GetValue(seed), i))
                : Read(parsed.GetValue(files) ?? []);
            var run = new ConformanceRun(Console.Out, RealWorld.Run);
            foreach (Script script in scripts.Where(script => script.Name.Contains(parsed.GetValue(only) ?? "", StringComparison.Ordinal)))
            {
                run.Add(script);
            }

            run.Close();
            return run.Equal == run.Scripts ? ExitCode.Done : ExitCode.CheckFailed;
        });
        return command;
    }

    private static List<Script> Read(string[] files)
    {
        string[] paths = files.Length > 0 ? files : [.. Directory.GetFiles(ScriptFile.Directory, "*.yaml").Order(StringComparer.Ordinal)];
        var scripts = new List<Script>();
        var errors = new List<PlanError>();
        foreach (string path in paths)
        {
            (IReadOnlyList<Script> read, IReadOnlyList<PlanError> wrong) = ScriptFile.Load(path);
            scripts.AddRange(read);
            errors.AddRange(wrong);
        }

        return errors.Count == 0 ? scripts : throw new BadArgumentsException(string.Join('\n', errors));
    }
}
