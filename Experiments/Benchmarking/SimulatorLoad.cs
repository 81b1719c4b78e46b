using Harness.Experiments.Backends;
using Harness.Experiments.Backends.Null;
using Harness.FuseProtocol;
using Harness.Simulation.Chance;
using Harness.Simulation.MachineFiles;
using Harness.Simulation.Machines;
using Harness.Simulation.Scheduling;
using Harness.Transport.Simulated;
using Harness.Transport.Simulated.Files;

namespace Harness.Experiments.Benchmarking;

/// <summary>A simulated world under load: on each CPU of a machine an application that reads 4 KiB at random places, O_DIRECT.</summary>
internal sealed class SimulatorLoad : IDisposable
{
    private const int BlockBytes = 4096;
    private const long FileBlocks = 1 << 18;
    private const int Files = 16;

    private readonly SimScheduler _scheduler = new();
    private readonly SimulatedMount _mount;
    private readonly long _paceNanos;
    private long _done;

    /// <summary>A world whose applications have begun.</summary>
    /// <param name="machineName">A machine file.</param>
    /// <param name="design">How requests travel.</param>
    /// <param name="threads">Threads of the daemon, where the design leaves that to it.</param>
    /// <param name="requestsPerSecond">What all applications ask for together, in virtual time; 0 for as much as they can.</param>
    public SimulatorLoad(string machineName, string design, int threads, long requestsPerSecond)
    {
        var machine = new Simulation.Machines.Machine(_scheduler, MachineFile.Load(machineName));
        var session = new FuseSession(new NullFileSystem(new BackendOptions(), _scheduler.Main.Time), new SessionOptions());
        _mount = new SimulatedMount(machine, new SimulatedMountOptions { QueueDesign = design, Threads = threads }, session);
        _paceNanos = requestsPerSecond == 0 ? 0 : machine.Cpus.Count * 1_000_000_000L / requestsPerSecond;
        bool mounted = false;
        machine.StartThread("mount", async thread =>
        {
            await _mount.Start(new KernelTask(thread));
            mounted = true;
        });
        _scheduler.RunUntil(() => mounted, "INIT");
        for (int i = 0; i < machine.Cpus.Count; i++)
        {
            int index = i;
            machine.StartThread($"reader {i}", thread => Read(new KernelTask(thread), index));
        }
    }

    /// <summary>Requests answered so far.</summary>
    public long Done => _done;

    /// <summary>Virtual time so far.</summary>
    public long VirtualNanos => _scheduler.NowNanoseconds;

    /// <summary>Events so far.</summary>
    public long Events => _scheduler.EventsRun;

    /// <summary>Goes on until so many more reads have ended.</summary>
    public void Run(long reads)
    {
        long target = _done + reads;
        _scheduler.RunUntil(() => _done >= target, "reads");
    }

    /// <inheritdoc/>
    public void Dispose() => _mount.Dispose();

    private async ValueTask Read(KernelTask task, int index)
    {
        SimThread thread = task.Thread;
        SimRandom random = _scheduler.Random.Split("reader", index);
        byte[] buffer = new byte[BlockBytes];
        int file = (int)(await _mount.Calls.Open(task, $"zero.{index % Files}", OpenFileFlags.ReadWrite | OpenFileFlags.Direct, 0)).Value;
        long next = _scheduler.NowNanoseconds + (_paceNanos == 0 ? 0 : random.NextInt64(_paceNanos));
        while (true)
        {
            if (_paceNanos > 0 && next > _scheduler.NowNanoseconds)
            {
                await thread.Sleep(next - _scheduler.NowNanoseconds);
            }

            next += _paceNanos;
            await _mount.Calls.Read(task, file, buffer, random.NextInt64(FileBlocks) * BlockBytes);
            _done++;
        }
    }
}
