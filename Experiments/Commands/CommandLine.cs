using System.CommandLine;
using System.CommandLine.Parsing;
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
            UpgradeCommand.Create(),
            MountHelperCommand.Create(),
            DoctorCommand.Create(),
            StatsCommand.Create(),
            ExplainCommand.Create(),
            BenchCommand.Create(),
            FuzzCommand.Create(),
            // The launcher runs the tests itself, before this program is built; the command stands here for the help text.
            new Command("test", "Checks format, builds, and runs all tests; closes with a line that counts them."),
        };
        ParseResult parsed = root.Parse(args);
        if (parsed.Errors.Count > 0)
        {
            foreach (ParseError error in parsed.Errors)
            {
                Fail(error.Message);
            }

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

    /// <summary>A command and those it stands below, from the top on, the program itself excepted.</summary>
    private static IEnumerable<CommandResult> Path(CommandResult command) =>
        command.Parent is CommandResult parent ? Path(parent).Append(command) : [];
}
