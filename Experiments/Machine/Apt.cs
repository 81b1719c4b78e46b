using System.Diagnostics;
using Harness.Runtime.Native;
using Harness.Transport;

namespace Harness.Experiments.Machine;

/// <summary>The distribution's packages, for programs that an experiment drives and that are missing.</summary>
internal static class Apt
{
    private const string Program = "/usr/bin/apt-get";

    /// <summary>Installs packages where this is root on a system that has apt, and says so.</summary>
    /// <param name="reason">What is missing and what it is for, as the beginning of a sentence: "fio is missing, which makes the load".</param>
    /// <param name="progress">Where it is said.</param>
    /// <param name="packages">The packages.</param>
    /// <exception cref="FuseTransportException">It cannot be done here; the message has the line to type.</exception>
    public static void Install(string reason, TextWriter progress, params string[] packages)
    {
        string line = $"apt-get install -y {string.Join(' ', packages)}";
        if (!Libc.IsRoot || !File.Exists(Program))
        {
            throw new FuseTransportException($"{reason}. Install it: sudo {line}");
        }

        progress.WriteLine($"{reason}; installing it: {line}");
        Run("update", "-qq");
        Run(["install", "-y", "-qq", .. packages]);
    }

    private static void Run(params string[] arguments)
    {
        var start = new ProcessStartInfo(Program, arguments) { RedirectStandardOutput = true };
        start.Environment["DEBIAN_FRONTEND"] = "noninteractive";
        using Process process = Process.Start(start)!;
        process.StandardOutput.ReadToEnd();
        process.WaitForExit();
    }
}
