using Harness.Simulation.MachineFiles;
using Harness.Simulation.Machines;

namespace Harness.Experiments.Simulated;

/// <summary>What an application such as fio takes for an operation besides its system calls: the layer <c>application</c> of a machine file.</summary>
/// <param name="Synchronous">An operation of a synchronous engine, in nanoseconds.</param>
/// <param name="Asynchronous">An operation of an asynchronous one.</param>
/// <param name="Cold">What it takes longer when another process has run on its CPU meanwhile: fio touches many pages and lines for an operation.</param>
internal sealed record ApplicationCosts(long Synchronous, long Asynchronous, long Cold)
{
    /// <summary>The layer's name.</summary>
    public const string Layer = "application";

    /// <summary>What a machine without the layer is taken for: fio 3.33 on shared memory takes about so much longer than a bare loop on current CPUs.</summary>
    public static ApplicationCosts Estimated { get; } = new(350, 500, 0);

    /// <summary>The figures of a machine file.</summary>
    /// <exception cref="MachineFileException">The layer has a cost that is not known.</exception>
    public static ApplicationCosts Of(MachineDescription machine)
    {
        const string synchronous = "synchronous";
        const string asynchronous = "asynchronous";
        const string cold = "cold";
        if (machine.Layers.TryGetValue(Layer, out LayerCosts? layer))
        {
            layer.RefuseOthersThan([synchronous, asynchronous, cold]);
        }

        return new(
            Read(machine, synchronous, Estimated.Synchronous), Read(machine, asynchronous, Estimated.Asynchronous), Read(machine, cold, Estimated.Cold));
    }

    private static long Read(MachineDescription machine, string name, long otherwise) =>
        machine.Layers.TryGetValue(Layer, out LayerCosts? costs) && costs.Times.TryGetValue(name, out Cost? cost) ? cost.Nanoseconds : otherwise;
}
