namespace Harness.Results.Maps;

/// <summary>What a map says about where its figures come from.</summary>
/// <param name="Run">The run's name.</param>
/// <param name="Kernel">The kernel, as <c>Linux 6.18.0</c>, or that it was a simulated one.</param>
/// <param name="Machine">The machine in a line, as <c>AMD EPYC 7B13, 2 CPUs, 1 NUMA node, 8 GiB</c>.</param>
public sealed record MapCaption(string Run, string Kernel, string Machine)
{
    /// <summary>The caption of a run on this environment's machine.</summary>
    public static MapCaption Of(string run, RunEnvironment environment)
    {
        double gibibytes = environment.MemoryBytes / (double)(1L << 30);
        return new(run, environment.Kernel, FormattableString.Invariant(
            $"{environment.CpuModel}, {Count(environment.Cpus, "CPU")}, {Count(environment.NumaNodes, "NUMA node")}, {gibibytes:0.#} GiB"));
    }

    private static string Count(int count, string noun) => count == 1 ? $"1 {noun}" : $"{count} {noun}s";
}
