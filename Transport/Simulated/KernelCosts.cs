using Harness.Simulation.Machines;

namespace Harness.Transport.Simulated;

/// <summary>
/// What the kernel's FUSE code and the daemon take besides the machine's elementary acts, in nanoseconds: the layers <c>fuse</c> and
/// <c>daemon</c> of a machine file.
/// </summary>
/// <param name="PathComponent">Finding a name in the dentry cache and checking its permission.</param>
/// <param name="Request">Allocating, filling and accounting a request, and ending it.</param>
/// <param name="Page">Finding a page in the page cache, or adding it.</param>
/// <param name="Dispatch">The daemon: taking a message apart, calling the file system, laying out the answer.</param>
public sealed record KernelCosts(long PathComponent, long Request, long Page, long Dispatch)
{
    /// <summary>The layer of a machine file that holds the kernel's part.</summary>
    public const string FuseLayer = "fuse";

    /// <summary>The layer of a machine file that holds the daemon's part.</summary>
    public const string DaemonLayer = "daemon";

    /// <summary>What a machine without these layers is taken for.</summary>
    /// <remarks>
    /// Estimates: 90 ns a path component and 35 ns a page are what stat(2) of a long path and a cached read take beyond a bare system call
    /// on current machines; 350 ns for a request is a slab allocation and release, a wait queue's set-up, and some twenty fields; 150 ns
    /// for the daemon is a message of the memory backend in this project's in-process benchmark.
    /// </remarks>
    public static KernelCosts Estimated { get; } = new(90, 350, 35, 150);

    /// <summary>The figures of a machine file, and the estimates for what it does not say.</summary>
    public static KernelCosts Of(MachineDescription machine)
    {
        ArgumentNullException.ThrowIfNull(machine);
        return new KernelCosts(
            Read(machine, FuseLayer, "pathComponent", Estimated.PathComponent),
            Read(machine, FuseLayer, "request", Estimated.Request),
            Read(machine, FuseLayer, "page", Estimated.Page),
            Read(machine, DaemonLayer, "dispatch", Estimated.Dispatch));
    }

    private static long Read(MachineDescription machine, string layer, string name, long otherwise) =>
        machine.Layers.TryGetValue(layer, out LayerCosts? costs) && costs.Times.TryGetValue(name, out Cost? cost)
            ? cost.Nanoseconds
            : otherwise;
}
