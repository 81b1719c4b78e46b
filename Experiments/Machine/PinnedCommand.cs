using Harness.Runtime;

namespace Harness.Experiments.Machine;

/// <summary>Keeps a program on some CPUs, from its first thread on, by taskset(1).</summary>
internal static class PinnedCommand
{
    /// <summary>The program that does it.</summary>
    public const string Program = "taskset";

    /// <summary>A command line that runs another one on these CPUs; the same line where they are null. The process keeps its id.</summary>
    public static IReadOnlyList<string> On(CpuSet? cpus, IReadOnlyList<string> commandLine) =>
        cpus is null ? commandLine : [Program, "-c", cpus.ToString(), .. commandLine];
}
