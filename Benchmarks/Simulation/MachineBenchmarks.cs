using System.Runtime.CompilerServices;
using BenchmarkDotNet.Attributes;
using Harness.Simulation.MachineFiles;
using Harness.Simulation.Machines;
using Harness.Simulation.Scheduling;

namespace Harness.Benchmarks.Simulation;

/// <summary>
/// Real time per simulated request: an application enters the kernel, queues a request under a spin lock, wakes a server on the next CPU
/// and
/// blocks; the server takes it under the lock, copies, computes, copies 4 KiB and wakes the application. 13 events.
/// </summary>
[MemoryDiagnoser]
public class MachineBenchmarks
{
    const int Requests = 100_000;

    [Params(2, 16, 128)]
    public int Cpus { get; set; }

    [Benchmark(OperationsPerInvoke = Requests)]
    public ulong Request()
    {
        var world = new SimScheduler();
        var machine = new Machine(world, MachineFile.Load("8x16"));
        int pairs = Cpus / 2;
        for (int pair = 0; pair < pairs; pair++)
        {
            new Pair(machine, pair, Requests / pairs).Start();
        }
        world.RunUntilIdle();
        return world.TraceHash;
    }

    sealed class Pair(Machine machine, int index, int requests)
    {
        readonly SimSpinLock queueLock = new(machine, $"queue {index}");
        SimThread? application, server;
        bool pending;

        public void Start()
        {
            server = machine.StartThread($"server {index}", Serve, CpuSet.Of(2 * index), isService: true);
            application = machine.StartThread($"application {index}", Apply, CpuSet.Of((2 * index) + 1));
        }

        [AsyncMethodBuilder(typeof(SimMethodBuilder))]
        async ValueTask Apply(SimThread thread)
        {
            for (int i = 0; i < requests; i++)
            {
                await thread.Compute(machine.Costs.SystemCall);
                await queueLock.Acquire(thread);
                pending = true;
                queueLock.Release(thread);
                await thread.Wake(server!);
                await thread.Block("the reply");
            }
        }

        [AsyncMethodBuilder(typeof(SimMethodBuilder))]
        async ValueTask Serve(SimThread thread)
        {
            while (true)
            {
                while (!pending)
                {
                    await thread.Block("the next request");
                }
                await queueLock.Acquire(thread);
                pending = false;
                queueLock.Release(thread);
                await thread.Copy(128, thread.Cpu.Node.Id, thread.Cpu.Node.Id);
                await thread.Compute(300);
                await thread.Copy(4096, thread.Cpu.Node.Id, thread.Cpu.Node.Id);
                await thread.Wake(application!);
                await thread.Compute(machine.Costs.SystemCall);
            }
        }
    }
}
