using System.CommandLine;
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
            MountHelperCommand.Create(),
            DoctorCommand.Create(),
            FuzzCommand.Create(),
            ConformanceCommand.Create(),
            // The launcher runs the tests itself, before this program is built; the command stands here for the help text.
            new Command("test", "Checks format, builds, and runs all tests; closes with a line that counts them."),
        };
        ParseResult parsed = root.Parse(args);
        if (parsed.Errors.Count > 0)
        {
            foreach (System.CommandLine.Parsing.ParseError error in parsed.Errors)
            {
                Fail(error.Message);
            }

            Command command = parsed.CommandResult.Command;
            string help = command == root ? "--help" : $"{command.Name} --help";
            await Console.Error.WriteLineAsync($"Try: ./harness {help}").ConfigureAwait(false);
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
}
