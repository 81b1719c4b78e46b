using System.ComponentModel;
using System.Diagnostics;
using Harness.Runtime.Native;
using Harness.Transport;

namespace Harness.Experiments.Running;

/// <summary>The program fio, which makes the load on real mounts.</summary>
internal static class FioProgram
{
    private const string Name = "fio";
    private const string InstallLine = "apt-get install -y fio";

    /// <summary>fio's version, such as <c>fio-3.33</c>; null where it is not installed.</summary>
    public static string? Version()
    {
        try
        {
            using Process process = Process.Start(new ProcessStartInfo(Name, ["--version"]) { RedirectStandardOutput = true })!;
            string version = process.StandardOutput.ReadToEnd().Trim();
            process.WaitForExit();
            return process.ExitCode == 0 ? version : null;
        }
        catch (Win32Exception)
        {
            return null;
        }
    }

    /// <summary>Sees to it that fio is there: installs it with apt where this is root and it is missing, and says so.</summary>
    /// <exception cref="FuseTransportException">It is missing and could not be installed; the message has the line to type.</exception>
    public static string Ensure(TextWriter progress)
    {
        if (Version() is string installed)
        {
            return installed;
        }

        if (!Libc.IsRoot || !File.Exists("/usr/bin/apt-get"))
        {
            throw new FuseTransportException($"fio is missing, which makes the load. Install it: sudo {InstallLine}");
        }

        progress.WriteLine($"fio is missing; installing it: {InstallLine}");
        Apt("update", "-qq");
        Apt("install", "-y", "-qq", Name);
        return Version() ?? throw new FuseTransportException($"fio could not be installed. Try by hand: {InstallLine}");
    }

    /// <summary>Starts fio; its report goes to a file, its complaints to the returned process's standard error.</summary>
    public static Process Start(IEnumerable<string> arguments, string workingDirectory) =>
        Process.Start(new ProcessStartInfo(Name, arguments)
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
            RedirectStandardInput = true,
            WorkingDirectory = workingDirectory,
        })!;

    private static void Apt(params string[] arguments)
    {
        var start = new ProcessStartInfo("/usr/bin/apt-get", arguments) { RedirectStandardOutput = true };
        start.Environment["DEBIAN_FRONTEND"] = "noninteractive";
        using Process process = Process.Start(start)!;
        process.StandardOutput.ReadToEnd();
        process.WaitForExit();
    }
}
