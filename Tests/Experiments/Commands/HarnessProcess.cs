using System.Diagnostics;
using Mono.Unix.Native;

namespace Harness.Tests.Experiments.Commands;

/// <summary>The program as its user starts it.</summary>
internal sealed class HarnessProcess : IDisposable
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(120);

    private readonly Process _process;
    private readonly Task<string> _output;
    private readonly Task<string> _errors;

    private HarnessProcess(Process process)
    {
        _process = process;
        _output = process.StandardOutput.ReadToEndAsync();
        _errors = process.StandardError.ReadToEndAsync();
    }

    /// <summary>Process id.</summary>
    public int Id => _process.Id;

    /// <summary>Starts a command.</summary>
    public static HarnessProcess Start(params IEnumerable<string> arguments) => StartIn(Path.GetTempPath(), arguments);

    /// <summary>Starts a command whose temporary files, and so the mount points of its trials, lie in a directory of the test's.</summary>
    public static HarnessProcess StartIn(string temporary, params IEnumerable<string> arguments)
    {
        string program = Path.Combine(AppContext.BaseDirectory, "harness.dll");
        // A shell starts what runs in its background with SIGINT ignored, and so would be what this test starts.
        var start = new ProcessStartInfo("env", ["--default-signal=INT,HUP", "dotnet", "exec", program, .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["TMPDIR"] = temporary;
        return new HarnessProcess(Process.Start(start)!);
    }

    /// <summary>Runs a command to its end.</summary>
    public static (int Code, string Output, string Errors) Run(params IEnumerable<string> arguments)
    {
        using HarnessProcess process = Start(arguments);
        return process.Wait();
    }

    /// <summary>As <see cref="StartIn"/>, to its end.</summary>
    public static (int Code, string Output, string Errors) RunIn(string temporary, params IEnumerable<string> arguments)
    {
        using HarnessProcess process = StartIn(temporary, arguments);
        return process.Wait();
    }

    /// <summary>Sends a signal.</summary>
    public void Signal(Signum signal) => Assert.Equal(0, Syscall.kill(_process.Id, signal));

    /// <summary>Waits for the end.</summary>
    public (int Code, string Output, string Errors) Wait()
    {
        Assert.True(_process.WaitForExit(s_limit), "the command did not end");
        return (_process.ExitCode, _output.Result, _errors.Result);
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
        }

        _process.Dispose();
    }
}
