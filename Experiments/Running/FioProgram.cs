using System.ComponentModel;
using System.Diagnostics;
using Harness.Experiments.Machine;
using Harness.Runtime;
using Harness.Transport;

namespace Harness.Experiments.Running;

/// <summary>The program fio, which makes the load on real mounts.</summary>
internal static class FioProgram
{
    private const string Name = "fio";

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

        Apt.Install("fio is missing, which makes the load", progress, Name);
        return Version() ?? throw new FuseTransportException($"fio could not be installed. Try by hand: apt-get install -y {Name}");
    }

    /// <summary>Starts fio; its report goes to a file, its complaints to the returned process's standard error.</summary>
    /// <param name="arguments">After the program's name.</param>
    /// <param name="workingDirectory">Where it leaves what it leaves.</param>
    /// <param name="cpus">Where it may run; null for anywhere.</param>
    public static Process Start(IEnumerable<string> arguments, string workingDirectory, CpuSet? cpus)
    {
        IReadOnlyList<string> commandLine = PinnedCommand.On(cpus, [Name, .. arguments]);
        return Process.Start(new ProcessStartInfo(commandLine[0], commandLine.Skip(1))
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
            RedirectStandardInput = true,
            WorkingDirectory = workingDirectory,
        })!;
    }
}
