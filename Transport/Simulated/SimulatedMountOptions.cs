using Harness.Runtime;

namespace Harness.Transport.Simulated;

/// <summary>What a simulated mount is made of.</summary>
public sealed record SimulatedMountOptions
{
    /// <summary>The names of the queue designs: those of the real channels, and others that no released kernel has.</summary>
    public static IReadOnlyList<string> QueueDesignNames => Queues.QueueDesigns.Names;

    /// <summary>The kernel and its settings.</summary>
    public KernelOptions Kernel { get; init; } = new();

    /// <summary>How requests travel between kernel and daemon, by name (default <c>dev-fuse</c>).</summary>
    public string QueueDesign { get; init; } = "dev-fuse";

    /// <summary>Threads of the daemon that take requests; designs with a queue for each CPU have one for each (default 2).</summary>
    public int Threads { get; init; } = 2;

    /// <summary>Requests that a thread of the daemon may have taken and not answered (default 1024), where no ring limits them.</summary>
    public int SlotsMax { get; init; } = 1024;

    /// <summary>Entries of each ring, hence requests of one that the daemon may have taken and not answered (default 8).</summary>
    public int QueueDepth { get; init; } = 8;

    /// <summary>How long a thread of the daemon that has nothing to do asks again before it sleeps (default 0: it sleeps at once).</summary>
    public TimeSpan Spin { get; init; }

    /// <summary>
    /// Where the daemon's threads run: with <see cref="Affinity.Auto"/> where the queue design has them at home, if it does, else anywhere
    /// (default).
    /// </summary>
    public Affinity Affinity { get; init; } = Affinity.Auto;

    /// <summary>The CPUs that the daemon's threads share without an <see cref="Affinity"/>; null for all.</summary>
    public Simulation.Machines.CpuSet? DaemonCpus { get; init; }

    /// <summary>What <c>read_ahead_kb</c> is set to after INIT, in bytes; 0 leaves it.</summary>
    public int ReadaheadBytes { get; init; }
}
