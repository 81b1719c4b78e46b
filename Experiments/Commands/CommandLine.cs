using System.CommandLine;
using System.CommandLine.Parsing;
using Harness.Experiments.Plan.Values;
using Harness.Transport;

namespace Harness.Experiments.Commands;

/// <summary>The commands of <c>./harness</c>, and what becomes of their errors.</summary>
internal static class CommandLine
{
    /// <summary>Runs one command.</summary>
    /// <returns>One of <see cref="ExitCode"/>.</returns>
    public static async Task<int> Run(string[] args)
    {
        var root = new RootCommand("Measures and serves FUSE file systems: experiments on the real kernel, mounts, and what this machine offers.")
        {
            RunCommand.Create(),
            MountCommand.Create(),
            UnmountCommand.Create(),
            ClusterCommand.Create(),
            MetadataServerCommand.Create(),
            ChunkServerCommand.Create(),
            UpgradeCommand.Create(),
            MountHelperCommand.Create(),
            DoctorCommand.Create(),
            StatsCommand.Create(),
            ExplainCommand.Create(),
            BenchCommand.Create(),
            FuzzCommand.Create(),
            CheckCommand.Create(),
            ReplayCommand.Create(),
            ConformanceCommand.Create(),
            CalibrateCommand.Create(),
            PredictCommand.Create(),
            // The launcher runs the tests itself, before this program is built; the command stands here for the help text.
            new Command("test", "Checks format, builds, and runs all tests; closes with a line that counts them."),
        };
        ParseResult parsed = root.Parse(args);
        string[] complaints = [.. Complaints(parsed)];
        if (complaints.Length > 0)
        {
            Array.ForEach(complaints, Fail);

            string command = string.Concat(Path(parsed.CommandResult).Select(part => $"{part.Command.Name} "));
            await Console.Error.WriteLineAsync($"Try: ./harness {command}--help").ConfigureAwait(false);
            return ExitCode.BadArguments;
        }

        try
        {
            return await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null })
                .ConfigureAwait(false);
        }
        catch (FuseTransportException exception)
        {
            Fail(exception.Message);
            return ExitCode.MachineCannot;
        }
        catch (BadArgumentsException exception)
        {
            Fail(exception.Message);
            return ExitCode.BadArguments;
        }
    }

    /// <summary>Prints an error for a person.</summary>
    public static void Fail(string message) => Console.Error.WriteLine($"harness: {message}");

    /// <summary>What is wrong with the arguments. A word that is no option also makes nonsense of those behind it, so it is named alone.</summary>
    private static IEnumerable<string> Complaints(ParseResult parsed)
    {
        Command command = parsed.CommandResult.Command;
        // The parser takes an unknown option for an argument, while there is one to give.
        IEnumerable<string> arguments = parsed.CommandResult.Children.OfType<ArgumentResult>().SelectMany(result => result.Tokens).Select(token => token.Value);
        string[] options = [.. arguments.Concat(parsed.UnmatchedTokens).Where(token => token.Length > 1 && token[0] == '-')];
        if (options.Length > 0)
        {
            string[] known = [.. command.Options.Where(option => !option.Hidden).Select(option => option.Name)];
            return options.Select(option => $"there is no option {Quoted.Text(option)}{NearestName.Hint(option, known)}");
        }

        if (command.Subcommands.Count > 0 && parsed.UnmatchedTokens is [string word, ..])
        {
            string[] known = [.. command.Subcommands.Where(each => !each.Hidden).Select(each => each.Name)];
            return [$"there is no command {Quoted.Text(word)}{NearestName.Hint(word, known)}"];
        }

        return parsed.Errors.Select(error => error.Message);
    }

    /// <summary>A command and those it stands below, from the top on, the program itself excepted.</summary>
    private static IEnumerable<CommandResult> Path(CommandResult command) =>
        command.Parent is CommandResult parent ? Path(parent).Append(command) : [];
}
