using Harness.Simulation.MachineFiles;
using Harness.Simulation.Machines;

namespace Harness.Experiments.Simulated;

/// <summary>What an application such as fio takes for an operation besides its system calls: the layer <c>application</c> of a machine file.</summary>
/// <param name="Synchronous">An operation of a synchronous engine, in nanoseconds.</param>
/// <param name="Asynchronous">An operation of an asynchronous one.</param>
internal sealed record ApplicationCosts(long Synchronous, long Asynchronous)
{
    /// <summary>The layer's name.</summary>
    public const string Layer = "application";

    /// <summary>What a machine without the layer is taken for: fio 3.33 on shared memory takes about so much longer than a bare loop on current CPUs.</summary>
    public static ApplicationCosts Estimated { get; } = new(350, 500);

    /// <summary>The figures of a machine file.</summary>
    /// <exception cref="MachineFileException">The layer has a cost that is not known.</exception>
    public static ApplicationCosts Of(MachineDescription machine)
    {
        const string synchronous = "synchronous";
        const string asynchronous = "asynchronous";
        if (machine.Layers.TryGetValue(Layer, out LayerCosts? layer))
        {
            layer.RefuseOthersThan([synchronous, asynchronous]);
        }

        return new(Read(machine, synchronous, Estimated.Synchronous), Read(machine, asynchronous, Estimated.Asynchronous));
    }

    private static long Read(MachineDescription machine, string name, long otherwise) =>
        machine.Layers.TryGetValue(Layer, out LayerCosts? costs) && costs.Times.TryGetValue(name, out Cost? cost) ? cost.Nanoseconds : otherwise;
}
