using BenchmarkDotNet.Attributes;
using Harness.Experiments.Backends;
using Harness.Experiments.Backends.Null;
using Harness.FuseProtocol;
using Harness.Simulation.MachineFiles;
using Harness.Simulation.Machines;
using Harness.Simulation.Scheduling;
using Harness.Transport.Simulated;
using Harness.Transport.Simulated.Files;

namespace Harness.Benchmarks.Simulation;

/// <summary>Real time and memory of one simulated request: application, kernel, session, file system and back.</summary>
[MemoryDiagnoser]
public class KernelBenchmarks : IDisposable
{
    private const int RequestsPerInvoke = 10_000;

    private SimScheduler scheduler = null!;
    private SimulatedMount mount = null!;
    private int done;

    [Params("1x8", "8x16")]
    public string MachineName { get; set; } = "";

    [Params("dev-fuse", "io-uring")]
    public string Design { get; set; } = "";

    [GlobalSetup]
    public void Setup()
    {
        scheduler = new SimScheduler();
        var machine = new Machine(scheduler, MachineFile.Load(MachineName));
        var session = new FuseSession(new NullFileSystem(new BackendOptions(), scheduler.Main.Time), new SessionOptions());
        mount = new SimulatedMount(machine, new SimulatedMountOptions { QueueDesign = Design, Threads = 8 }, session);
        bool mounted = false;
        machine.StartThread("mount", async thread =>
        {
            await mount.Start(new KernelTask(thread));
            mounted = true;
        });
        scheduler.RunUntil(() => mounted, "INIT");
        for (int i = 0; i < machine.Cpus.Count; i++)
        {
            string file = $"zero.{i % 16}";
            machine.StartThread($"reader {i}", thread => Read(new KernelTask(thread), file));
        }

        ReadDirect4K();
    }

    [GlobalCleanup]
    public void Dispose()
    {
        mount.Dispose();
        GC.SuppressFinalize(this);
    }

    [Benchmark(OperationsPerInvoke = RequestsPerInvoke)]
    public void ReadDirect4K()
    {
        int target = done + RequestsPerInvoke;
        scheduler.RunUntil(() => done >= target, "reads");
    }

    private async ValueTask Read(KernelTask task, string path)
    {
        byte[] buffer = new byte[4096];
        int file = (int)(await mount.Calls.Open(task, path, OpenFileFlags.ReadWrite | OpenFileFlags.Direct, 0)).Value;
        for (long i = 0; ; i++)
        {
            await mount.Calls.Read(task, file, buffer, i % 1000 * 4096);
            done++;
        }
    }
}
