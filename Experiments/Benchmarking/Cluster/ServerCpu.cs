using System.Globalization;
using System.Text.RegularExpressions;

namespace Harness.Experiments.Benchmarking.Cluster;

/// <summary>CPU time of the processes that serve a directory, as /proc has it (proc_pid_stat(5), fields 14 and 15).</summary>
/// <param name="User">In user mode.</param>
/// <param name="System">In the kernel.</param>
internal readonly record struct ServerCpu(TimeSpan User, TimeSpan System)
{
    // What sysconf(_SC_CLK_TCK) gives on every architecture that .NET runs on.
    private const double TicksPerSecond = 100;

    /// <summary>The sum over all processes whose command line matches.</summary>
    public static ServerCpu Of(Regex commandLine)
    {
        (long user, long system) = (0, 0);
        foreach (int pid in Pids(commandLine))
        {
            string stat = Read($"/proc/{pid}/stat");

            // The name, in parentheses, may hold anything.
            string[] fields = stat[(stat.LastIndexOf(')') + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (fields.Length > 12)
            {
                user += long.Parse(fields[11], CultureInfo.InvariantCulture);
                system += long.Parse(fields[12], CultureInfo.InvariantCulture);
            }
        }

        return new ServerCpu(TimeSpan.FromSeconds(user / TicksPerSecond), TimeSpan.FromSeconds(system / TicksPerSecond));
    }

    /// <summary>Processes, this one left out, whose command line matches, its parts separated by spaces.</summary>
    public static IEnumerable<int> Pids(Regex commandLine) =>
        from directory in Directory.EnumerateDirectories("/proc")
        let name = Path.GetFileName(directory)
        where int.TryParse(name, CultureInfo.InvariantCulture, out int pid) && pid != Environment.ProcessId
            && commandLine.IsMatch(Read($"{directory}/cmdline").Replace('\0', ' '))
        select int.Parse(name, CultureInfo.InvariantCulture);

    // A process may be gone before it is looked at; it then has used nothing that is of interest.
    private static string Read(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return string.Empty;
        }
    }
}
