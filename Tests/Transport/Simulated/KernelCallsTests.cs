using Harness.Experiments.Backends;
using Harness.Experiments.Backends.Memory;
using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;
using Harness.Simulation.Machines;
using Harness.Simulation.Scheduling;
using Harness.Tests.Simulation;
using Harness.Transport.Simulated;
using Harness.Transport.Simulated.Files;
using Mono.Unix.Native;

namespace Harness.Tests.Transport.Simulated;

/// <summary>What applications see of the simulated kernel, on a machine where nothing costs anything.</summary>
public sealed class KernelCallsTests
{
    [Fact]
    public void WhatIsWrittenIsRead() => Run(async (mount, task) =>
    {
        byte[] data = [.. Enumerable.Range(0, 20_000).Select(i => (byte)(i * 7))];
        int file = await Open(mount, task, OpenFileFlags.ReadWrite | OpenFileFlags.Create);
        Assert.Equal(data.Length, (await mount.Calls.Write(task, file, data, 100)).Value);
        byte[] read = new byte[30_000];
        Assert.Equal(20_100, (await mount.Calls.Read(task, file, read, 0)).Value);
        Assert.Equal(data, read[100..20_100]);
        Assert.All(read[..100], value => Assert.Equal(0, value));
    });

    [Fact]
    public void WritebackSendsNothingUntilItMust() => Run(
        async (mount, task) =>
        {
            int file = await Open(mount, task, OpenFileFlags.ReadWrite | OpenFileFlags.Create);
            long before = mount.Answered;
            Assert.Equal(8192, (await mount.Calls.Write(task, file, new byte[8192], 0)).Value);
            Assert.Equal(before + 1, mount.Answered);
            Assert.True((await mount.Calls.Fsync(task, file, dataOnly: false)).IsOk);
            Assert.Equal(before + 4, mount.Answered);
        },
        new SessionOptions().With(InitFlags.WritebackCache, true));

    [Fact]
    public void OldDirtyDataIsWrittenWithoutBeingAsked()
    {
        var scheduler = new SimScheduler();
        long answered = 0;
        using SimulatedMount mount = Start(scheduler, new SessionOptions().With(InitFlags.WritebackCache, true), out Machine machine);
        Execute(scheduler, machine, async task =>
        {
            int file = await Open(mount, task, OpenFileFlags.ReadWrite | OpenFileFlags.Create);
            await mount.Calls.Write(task, file, new byte[8192], 0);
            answered = mount.Answered;
        });
        scheduler.RunUntil(20_000_000_000);
        Assert.Equal(answered, mount.Answered);
        scheduler.RunUntil(60_000_000_000);
        Assert.Equal(answered + 1, mount.Answered);
    }

    [Fact]
    public void ASignalSendsAnInterruptAndTheCallWaitsForItsAnswer()
    {
        var scheduler = new SimScheduler();
        using SimulatedMount mount = Start(scheduler, new SessionOptions(), out Machine machine);
        KernelTask? waiting = null;
        Result<long>? locked = null;
        Execute(scheduler, machine, async task =>
        {
            int file = await Open(mount, task, OpenFileFlags.ReadWrite | OpenFileFlags.Create);
            await mount.Calls.Flock(task, file, operation: 2);
        });
        machine.StartThread("second", async thread =>
        {
            waiting = new KernelTask(thread, pid: 2);
            int file = (int)(await mount.Calls.Open(waiting, "a", OpenFileFlags.ReadWrite, 0)).Value;
            locked = await mount.Calls.Flock(waiting, file, operation: 2);
        });
        scheduler.RunUntil(1_000_000);
        Assert.Null(locked);
        waiting!.Signal();
        scheduler.RunUntil(2_000_000);
        Assert.Equal(Errno.EINTR, locked?.Error);
    }

    [Fact]
    public void AnUnknownQueueDesignIsRefusedByName()
    {
        var machine = new Machine(new SimScheduler(), TestMachines.Free1Node(1));
        var refused = Assert.Throws<Harness.Transport.FuseTransportException>(() => new SimulatedMount(
            machine, new SimulatedMountOptions { QueueDesign = "carrier-pigeon" }, new FuseSession(new EmptyFileSystem(), new SessionOptions())));
        Assert.Contains("carrier-pigeon", refused.Message);
    }

    private static async ValueTask<int> Open(SimulatedMount mount, KernelTask task, OpenFileFlags flags) =>
        (int)(await mount.Calls.Open(task, "a", flags, 0b110_100_100)).Value;

    private static void Run(Func<SimulatedMount, KernelTask, ValueTask> body, SessionOptions? options = null)
    {
        var scheduler = new SimScheduler();
        using SimulatedMount mount = Start(scheduler, options ?? new SessionOptions(), out Machine machine);
        Execute(scheduler, machine, task => body(mount, task));
    }

    private static SimulatedMount Start(SimScheduler scheduler, SessionOptions options, out Machine machine)
    {
        machine = new Machine(scheduler, TestMachines.Free1Node(2));
        var fileSystem = new MemoryFileSystem(new MemoryOptions { Backend = new BackendOptions() }, scheduler.Main.Time);
        var mount = new SimulatedMount(machine, new SimulatedMountOptions(), new FuseSession(fileSystem, options));
        Execute(scheduler, machine, async task => Assert.Equal(Errnos.Ok, await mount.Start(task)));
        return mount;
    }

    private static void Execute(SimScheduler scheduler, Machine machine, Func<KernelTask, ValueTask> body)
    {
        bool done = false;
        machine.StartThread("application", async thread =>
        {
            await body(new KernelTask(thread));
            done = true;
        });
        scheduler.RunUntil(() => done, "the application");
    }

    private sealed class EmptyFileSystem : IFileSystem;
}
