using Harness.Experiments.Backends;
using Harness.Experiments.Backends.Null;
using Harness.FuseProtocol;
using Harness.Simulation.MachineFiles;
using Harness.Simulation.Machines;
using Harness.Simulation.Scheduling;
using Harness.Transport.Simulated;
using Harness.Transport.Simulated.Files;

namespace Harness.Tests.Transport.Simulated;

/// <summary>A simulated request must not cost the host's garbage collector anything, or large worlds would.</summary>
public sealed class KernelAllocationTests
{
    // Until tables have grown, each method has been suspended once, and code is compiled for good.
    private const int WarmUp = 10_000;
    private const int Requests = 2000;

    [Theory]
    [InlineData("dev-fuse")]
    [InlineData("io-uring")]
    public void AReadAllocatesNothingInSteadyState(string design)
    {
        var scheduler = new SimScheduler();
        var machine = new Machine(scheduler, MachineFile.Load("1x8"));
        var session = new FuseSession(new NullFileSystem(new BackendOptions(), scheduler.Main.Time), new SessionOptions());
        using var mount = new SimulatedMount(machine, new SimulatedMountOptions { QueueDesign = design }, session);
        int done = 0;
        machine.StartThread("reader", async thread =>
        {
            var task = new KernelTask(thread);
            await mount.Start(task);
            byte[] buffer = new byte[4096];
            int file = (int)(await mount.Calls.Open(task, "zero.0", OpenFileFlags.ReadWrite | OpenFileFlags.Direct, 0)).Value;
            while (true)
            {
                await mount.Calls.Read(task, file, buffer, 0);
                done++;
            }
        });
        scheduler.RunUntil(() => done >= WarmUp, "warm-up");
        Func<bool> measured = () => done >= WarmUp + Requests;
        long before = GC.GetAllocatedBytesForCurrentThread();
        scheduler.RunUntil(measured, "reads");
        long perRequest = (GC.GetAllocatedBytesForCurrentThread() - before) / Requests;
        Assert.Equal(0, perRequest);
    }
}
