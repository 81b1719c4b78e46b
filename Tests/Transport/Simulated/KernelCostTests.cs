using Harness.Experiments.Backends;
using Harness.Experiments.Backends.Null;
using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;
using Harness.Simulation.MachineFiles;
using Harness.Simulation.Machines;
using Harness.Simulation.Scheduling;
using Harness.Tests.Simulation;
using Harness.Transport.Simulated;
using Harness.Transport.Simulated.Files;

namespace Harness.Tests.Transport.Simulated;

/// <summary>Who is charged for what of a request, on a machine where nothing else costs anything.</summary>
public sealed class KernelCostTests
{
    private const int PageBytes = 4096;
    private const int Pages = 16;
    private const long Nanos = 1000;
    private static readonly string s_file = File.ReadAllText(Path.Combine(MachineFile.Directory, "1x8.yaml"));

    [Theory]
    [InlineData(Opcode.Read, 1, 0)]
    [InlineData(Opcode.Read, PageBytes, 0)]
    [InlineData(Opcode.Read, PageBytes + 1, 1)]
    [InlineData(Opcode.Read, Pages * PageBytes, Pages - 1)]
    [InlineData(Opcode.Write, Pages * PageBytes, 0)]
    [InlineData(Opcode.Getattr, 0, 0)]
    public void EachFurtherPageThatAReadAsksForCostsTheDaemon(Opcode opcode, int outMax, int furtherPages)
    {
        KernelCosts costs = KernelCosts.Of(With(KernelCosts.DaemonLayer, ("dispatch", 7), ("readPage", Nanos)));
        Assert.Equal(7 + (furtherPages * Nanos), costs.DispatchOf(opcode, outMax));
    }

    [Fact]
    public void TheDaemonsThreadSpendsThem()
    {
        (long app, long daemon) = Spent(With(KernelCosts.DaemonLayer, ("readPage", Nanos)), parallel: false);
        (long appWithout, long daemonWithout) = Spent(With(KernelCosts.DaemonLayer, ("readPage", 0)), parallel: false);
        Assert.Equal((0, (Pages - 1) * Nanos), (app - appWithout, daemon - daemonWithout));
    }

    /// <summary>The daemon holds and releases the pages of both its copies whoever waits.</summary>
    [Theory]
    [InlineData(false, Pages * Nanos, 0)]
    [InlineData(true, Pages * Nanos / 2, Pages * Nanos / 2)]
    public void PagesOfDirectIoAreReleasedByWhoEndsTheRequest(bool parallel, long application, long daemon)
    {
        (long app, long server) = Spent(With(KernelCosts.FuseLayer, ("pinnedPage", Nanos)), parallel);
        (long appWithout, long serverWithout) = Spent(With(KernelCosts.FuseLayer, ("pinnedPage", 0)), parallel);
        const long copies = (1 + Pages) * Nanos;
        Assert.Equal((application, copies + daemon), (app - appWithout, server - serverWithout));
    }

    [Theory]
    [InlineData("readPage: {value: -1, unit: ns, source: me}", "Allowed: a time in ns, 0 to")]
    [InlineData("readPage: {value: 1, unit: GB/s, source: me}", "is a rate. Allowed: times, in ns, us or ms")]
    [InlineData("readPage: {value: 1, unit: ns}", "has no 'source', which it needs")]
    [InlineData("readPages: {value: 1, unit: ns, source: me}", "Did you mean 'readPage'?")]
    public void AnImpossibleCostOfTheDaemonIsRefusedWithFileLineAndWhatIsAllowed(string entry, string says)
    {
        string text = s_file[..s_file.IndexOf("layers:", StringComparison.Ordinal)] + $"layers:\n  daemon:\n    {entry}\n";
        int last = text.Count(c => c == '\n');
        MachineFileException refusal = Assert.Throws<MachineFileException>(() => KernelCosts.Of(MachineFile.Parse(text, "my.yaml")));
        Assert.Matches($@"^my\.yaml:{last}:\d+: ", refusal.Message);
        Assert.Contains(says, refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void EveryMachineThatComesAlongSaysWhatAPageCostsTheDaemon() => Assert.All(
        MachineFile.Names,
        name =>
        {
            Cost page = MachineFile.Load(name).Layers[KernelCosts.DaemonLayer].Times["readPage"];
            Assert.InRange(page.Nanoseconds, 1, 1000);
            Assert.NotEmpty(page.Source);
        });

    private static MachineDescription With(string layer, params (string Name, long Nanoseconds)[] costs)
    {
        var free = new Dictionary<string, Dictionary<string, Cost>>
        {
            [KernelCosts.FuseLayer] = Free("pathComponent", "request", "serve", "page", "pinnedPage", "asyncIo"),
            [KernelCosts.DaemonLayer] = Free("dispatch", "readPage"),
        };
        foreach ((string name, long nanoseconds) in costs)
        {
            free[layer][name] = TestMachines.Ns(nanoseconds);
        }

        return TestMachines.Free1Node(1) with
        {
            Layers = free.ToDictionary(each => each.Key, each => new LayerCosts(each.Key, each.Value, new Dictionary<string, Rate>())),
        };
    }

    private static Dictionary<string, Cost> Free(params string[] names) => names.ToDictionary(name => name, _ => TestMachines.Ns(0));

    /// <summary>What the application and the daemon spend on one direct read of some pages.</summary>
    private static (long Application, long Daemon) Spent(MachineDescription description, bool parallel)
    {
        var scheduler = new SimScheduler();
        var machine = new Machine(scheduler, description);
        SessionOptions options = new SessionOptions().With(InitFlags.AsyncDio, parallel);
        var session = new FuseSession(new NullFileSystem(new BackendOptions(), scheduler.Main.Time), options);
        using var mount = new SimulatedMount(machine, new SimulatedMountOptions { Threads = 1 }, session);
        SimThread daemon = machine.Threads.Single();
        (long Application, long Daemon)? spent = null;
        machine.StartThread("application", async thread =>
        {
            var task = new KernelTask(thread);
            await mount.Start(task);
            byte[] buffer = new byte[Pages * PageBytes];
            int file = (int)(await mount.Calls.Open(task, "zero.0", OpenFileFlags.ReadWrite | OpenFileFlags.Direct, 0)).Value;
            (long application, long served) = (thread.WorkNanoseconds, daemon.WorkNanoseconds);
            Assert.Equal(buffer.Length, (await mount.Calls.Read(task, file, buffer, 0)).Value);
            // The daemon's thread is done with it when it waits again.
            await thread.Sleep(1_000_000);
            spent = (thread.WorkNanoseconds - application, daemon.WorkNanoseconds - served);
        });
        scheduler.RunUntil(() => spent is not null, "the end of the read");
        return spent!.Value;
    }
}
