using System.Diagnostics;

namespace Harness.Tests.Mounts;

/// <summary>Runs other programs on a mount.</summary>
internal static class Programs
{
    // What takes longer hangs.
    private static readonly TimeSpan s_runMax = TimeSpan.FromSeconds(50);

    /// <summary>Runs a program in a directory and expects it to succeed.</summary>
    /// <returns>What it wrote to standard output.</returns>
    public static string Run(string directory, string program, params string[] arguments)
    {
        (int code, string output, string errors) = Try(directory, program, arguments);
        Assert.True(code == 0, $"{program} {string.Join(' ', arguments)}: exit {code}\n{output}\n{errors}");
        return output;
    }

    /// <summary>Runs a program in a directory.</summary>
    public static (int Code, string Output, string Errors) Try(string directory, string program, params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = directory,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment = { ["LC_ALL"] = "C", ["HOME"] = directory },
        })!;
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> errors = process.StandardError.ReadToEndAsync();
        if (!process.WaitForExit(s_runMax))
        {
            process.Kill(entireProcessTree: true);
            Assert.Fail($"{program} {string.Join(' ', arguments)} did not end within {s_runMax.TotalSeconds} s");
        }

        process.WaitForExit();
        return (process.ExitCode, output.Result, errors.Result);
    }
}
