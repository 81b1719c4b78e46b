using System.Runtime.CompilerServices;
using BenchmarkDotNet.Attributes;
using Harness.Simulation.MachineFiles;
using Harness.Simulation.Machines;
using Harness.Simulation.Scheduling;

namespace Harness.Benchmarks.Simulation;

/// <summary>
/// Simulated threads call an async method that suspends once, and then compute: in turn all of them are inside the method, and none is.
/// </summary>
[MemoryDiagnoser]
public class SimMethodBuilderBenchmarks
{
    const int Calls = 1_000_000;

    [Params(1, 100)]
    public int Threads { get; set; }

    /// <summary>No call: the thread awaits the operation itself.</summary>
    [Benchmark(OperationsPerInvoke = Calls, Baseline = true)]
    public long NoCall() => Run(thread => thread.Compute(100));

    [Benchmark(OperationsPerInvoke = Calls)]
    public long Simulation() => Run(BySimulation);

    [Benchmark(OperationsPerInvoke = Calls)]
    public long FrameworkPooling() => Run(ByPooling);

    [Benchmark(OperationsPerInvoke = Calls)]
    public long FrameworkDefault() => Run(ByDefault);

    long Run(Func<SimThread, ValueTask> call)
    {
        var world = new SimScheduler();
        var machine = new Machine(world, MachineFile.Load("8x16"));
        for (int i = 0; i < Threads; i++)
        {
            machine.StartThread($"t{i}", async thread =>
            {
                for (int left = Calls / Threads; left > 0; left--)
                {
                    await call(thread);
                    await thread.Compute(100);
                }
            }, CpuSet.Of(i));
        }
        world.RunUntilIdle();
        return world.EventsRun;
    }

    [AsyncMethodBuilder(typeof(SimMethodBuilder))]
    static async ValueTask BySimulation(SimThread thread) => await thread.Compute(100);

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    static async ValueTask ByPooling(SimThread thread) => await thread.Compute(100);

    static async ValueTask ByDefault(SimThread thread) => await thread.Compute(100);
}
