using Harness.Experiments.Simulated;
using Harness.Runtime;
using Harness.Simulation.MachineFiles;
using Harness.Simulation.Machines;
using Harness.Transport.Simulated;

namespace Harness.Experiments.Calibration;

/// <summary>Measures this machine by microbenchmarks and writes down what it is as a machine file says it.</summary>
/// <remarks>
/// Of FUSE only GETATTR is measured, on one channel with one thread. Everything else is the machine, the daemon's code in this process, and
/// fio on shared memory; no cell that is to be predicted enters.
/// </remarks>
/// <param name="batches">How often each figure is measured.</param>
/// <param name="progress">Told of each figure before it is measured.</param>
/// <param name="cancellationToken">Gives up between two batches.</param>
internal sealed class Calibration(int batches, Action<string> progress, CancellationToken cancellationToken)
{
    /// <summary>The name of a machine that was measured here.</summary>
    public const string MachineName = "this";

    // What cannot be measured from user space, such as the kernel's time slices, has its source there.
    private const string Rules = "this-vm";

    // Longer than any CPU polls here before it halts, and shorter than a guest's vCPU is parked for good: as between two requests.
    private const double WorkMicros = 5;
    private const double ShallowMicros = 1;
    private const double NanosPerMicro = 1e3;
    private const int Fits = 6;
    private const double WarnedNanos = 300;
    private const double VariationMax = 0.99;

    private readonly Sampler _sampler = new(batches, cancellationToken);

    /// <summary>Measures everything.</summary>
    /// <exception cref="Transport.FuseTransportException">This machine cannot mount.</exception>
    /// <exception cref="OperationCanceledException">It was interrupted.</exception>
    public async Task<MachineDescription> Run()
    {
        Topology topology = Topology.Current;
        int here = topology.Online.Numbers.First();
        NumaNode node = topology.Nodes.First(each => each.Cpus.Contains(here));
        int near = node.Cpus.Numbers.Where(topology.Online.Contains).FirstOrDefault(cpu => cpu != here, here);
        MachineDescription rules = MachineFile.Load(Rules);
        progress("system calls");
        var calls = new CallBenchmarks(_sampler, here);
        Figure systemCall = calls.SystemCall();
        progress("memory");
        CostModel costs = WithMemory(rules.Costs with { SystemCall = systemCall.ToCost() }, calls);
        progress("locks");
        costs = WithLocks(costs, here, near);
        progress("wake-ups");
        var wakes = new WakeBenchmarks(_sampler, here, near);
        costs = WithWakeUps(costs, here, near);
        progress("where threads wake up");
        PackingBenchmark.Result packing =
            near == here ? new(0, 0) : new PackingBenchmark(_sampler, here, near).Measure(costs.InterruptSend.Nanoseconds);
        progress("how much acts vary");
        ActVariation variation = near == here ? rules.Variation : Variation(wakes.Spreads(WorkMicros));
        var layers = new Dictionary<string, LayerCosts>();
        progress("the daemon's code");
        var daemon = new DaemonBenchmarks(_sampler, here).All().ToDictionary(entry => entry.Name, entry => entry.Figure.ToCost());
        daemon["dispatch"] = daemon["getattr"];
        layers[KernelCosts.DaemonLayer] = new(KernelCosts.DaemonLayer, daemon, new Dictionary<string, Rate>());
        progress("fio");
        layers[ApplicationCosts.Layer] = Application(calls, systemCall, here);
        progress("the kernel's pages");
        var fuse = new Dictionary<string, Cost>
        {
            ["page"] = calls.CachedPage().ToCost(),
            ["pinnedPage"] = calls.PinnedPage().ToCost(),
            ["asyncIo"] = calls.AsyncIo(systemCall).ToCost(),
            ["request"] = new(0, "to be measured"),
            ["serve"] = new(0, "to be measured"),
        };
        layers[KernelCosts.FuseLayer] = new(KernelCosts.FuseLayer, fuse, new Dictionary<string, Rate>());
        MachineDescription machine = Describe(topology, costs, layers) with
        {
            Variation = variation,
            Wakes = packing.Room >= 1 ? WakePlacement.Waker : packing.Room > 0 ? WakePlacement.Packed : WakePlacement.Idle,
            Packing = packing.Room is > 0 and < 1 ? Rounded(packing) : Packing.None,
            SchedulerSource = SourceOf(packing),
        };
        progress("GETATTR");
        (Figure application, Figure server) = await GetattrBenchmark.Measure(_sampler, here, cancellationToken).ConfigureAwait(false);
        FitGetattr(machine, fuse, application, server);
        foreach (string doubt in Doubts(machine))
        {
            progress($"warning: {doubt}");
        }

        return machine;
    }

    /// <summary>
    /// Finds what of a GETATTR is left for <c>request</c> and <c>serve</c>. Who is preempted by whom, and so how often a thread sleeps, depends on
    /// what the two cost: the model is asked again with what it gave the last time, and the closest answer counts.
    /// </summary>
    private static void FitGetattr(MachineDescription machine, Dictionary<string, Cost> fuse, Figure application, Figure server)
    {
        (double request, double serve) = (0, 0);
        (double Off, Cost Request, Cost Serve) best = (double.PositiveInfinity, fuse["request"], fuse["serve"]);
        for (int i = 0; i < Fits; i++)
        {
            (double sending, double serving) = GetattrBenchmark.Simulate(machine);
            double off = Math.Abs(application.Nanos - sending) + Math.Abs(server.Nanos - serving);
            if (off < best.Off)
            {
                best = (off, fuse["request"], fuse["serve"]);
            }

            Cost sends = Rest("the caller", application, sending - request);
            Cost serves = Rest("the daemon", server, serving - serve);
            (fuse["request"], fuse["serve"]) = (sends, serves);
            (request, serve) = (sends.Nanoseconds, serves.Nanoseconds);
        }

        (fuse["request"], fuse["serve"]) = (best.Request, best.Serve);
    }

    private static Cost Rest(string who, Figure measured, double parts) => measured.Less(
        $"measured here: GETATTR on one channel, one thread and one CPU, CPU time of {who}, {measured.Nanos:0} ns, " +
        $"less what the model says of its parts, {parts:0} ns",
        new Figure(parts, parts, parts, "")).ToCost();

    private static MachineDescription Describe(Topology topology, CostModel costs, Dictionary<string, LayerCosts> layers) => new()
    {
        Name = MachineName,
        Description = "the machine that this was measured on",
        CpusOfNode = [.. topology.Nodes.Where(HasCpus).Select(node => node.Cpus.Count)],
        Distances = [.. topology.Nodes.Where(HasCpus).Select(node => (IReadOnlyList<int>)[.. node.Distances.Where((_, i) => HasCpus(topology.Nodes[i]))])],
        TopologySource = "sysfs",
        Costs = costs,
        Layers = layers,
    };

    private static Packing Rounded(PackingBenchmark.Result seen) =>
        new(Math.Round(seen.Room, 3), Math.Round(seen.Counted, 3));

    private static string SourceOf(PackingBenchmark.Result seen) => seen.Room switch
    {
        <= 0 => "measured here: a thread and another process that wake each other by eventfds did not come to be on one CPU",
        >= 1 => "measured here: a thread and another process that wake each other by eventfds stayed on one CPU",
        _ => "measured here: a thread and another process that wake each other by eventfds were on one CPU until so much of it was used, and of the way "
            + "out of idleness so much was CPU time of who was woken",
    };

    private static ActVariation Variation((double WakeUps, double Work) spreads) => new(
        Math.Min(Math.Round(spreads.WakeUps, 3), VariationMax), Math.Min(Math.Round(spreads.Work, 3), VariationMax),
        $"measured here: the middle half of what it took to wake a thread on a CPU idle for {WorkMicros} us, and of rounds of two threads on one CPU, "
            + "as a share of the median");

    private static bool HasCpus(NumaNode node) => node.Cpus.Count > 0;

    private static CostModel WithMemory(CostModel costs, CallBenchmarks calls)
    {
        const int large = 1 << 20;
        const int page = 4096;
        Figure copy = calls.CopyLarge();
        return costs with
        {
            CopyLocal = copy.ToRate(large),
            CopyStart = calls.CopyPage().Less("measured here: memcpy of 4 KiB, less its share of 1 MiB", copy.Times((double)page / large)).ToCost(),
        };
    }

    private CostModel WithLocks(CostModel costs, int here, int near)
    {
        var locks = new LockBenchmarks(_sampler, here, near);
        costs = costs with { LockSameCpu = locks.Uncontended().ToCost() };
        if (near == here)
        {
            return costs;
        }

        Cost line = locks.LineTransfer().ToCost();
        Cost handOver = locks.HandOver().ToCost();
        // Where the other CPU was away for a while, the lock was not handed over at all; it takes at least its line.
        handOver = handOver.Nanoseconds >= line.Nanoseconds ? handOver : line;
        return costs with { LockSameNode = line, LockOtherNode = line, HandOverSameNode = handOver, HandOverOtherNode = handOver };
    }

    private CostModel WithWakeUps(CostModel costs, int here, int near)
    {
        WakeBenchmarks With(Sampler sampler) => new(sampler, here, near);
        Figure events = With(_sampler).EventCalls();
        // The rounds below are between threads of one process.
        Figure contextSwitch = _sampler.Settle(each => With(each).ThreadSwitch());
        Figure hop = _sampler.Settle(each => With(each).HopOnOneCpu(events));
        Figure wake = _sampler.Settle(each => With(each).WakerShareHere(events));
        costs = costs with
        {
            ContextSwitch = _sampler.Settle(each => With(each).ContextSwitch()).ToCost(),
            WakePreemptsAfter = With(_sampler).PreemptionDelay(hop, events)?.ToCost() ?? costs.WakePreemptsAfter,
            WakeSameCpu = (wake with
            {
                Source = "measured here: writing to an eventfd that a thread on the same CPU waits for, less the same when nobody waits; SCHED_BATCH",
            }).ToCost(),
            Block = hop.Less(
                "measured here: one way of a round of two threads on one CPU through eventfds, less the calls, the context switch and wakeSameCpu",
                contextSwitch, wake).ToCost(),
        };
        return near == here ? costs : WithOtherCpu(costs, With, events, contextSwitch);
    }

    private CostModel WithOtherCpu(CostModel costs, Func<Sampler, WakeBenchmarks> with, Figure events, Figure contextSwitch)
    {
        Figure shallow = _sampler.Settle(each => with(each).WakerShare(ShallowMicros, events));
        Figure deep = _sampler.Settle(each => with(each).WakerShare(WorkMicros, events));
        Figure far = _sampler.Settle(each => with(each).HopToOther(WorkMicros, events));
        Figure soon = _sampler.Settle(each => with(each).HopToOther(ShallowMicros, events));
        Figure block = FigureOf(costs.Block);
        Figure interrupt = _sampler.Settle(each => with(each).HopToBusy(events)).Less(
            "measured here: from waking a thread on a CPU that another keeps busy until it runs, less the waker's part, the context switch and block",
            contextSwitch, block);
        Cost plain = costs.WakeSameCpu with { Source = "as wakeSameCpu: onto a CPU that runs, the waker does the same and sends no interrupt" };
        return costs with
        {
            WakeSameNode = plain,
            InterruptSend = deep.Less(
                $"measured here: writing to an eventfd that a thread on another CPU, idle for {WorkMicros} us, waits for, less the call and wakeSameNode",
                FigureOf(plain)).ToCost(),
            // A CPU that has been idle for so long takes an interrupt already if that costs most of what it costs later.
            IdleDeepAfter = shallow.Nanos > deep.Nanos / 2
                ? new Cost(
                    (long)(ShallowMicros * NanosPerMicro),
                    $"measured here: to wake a CPU idle for {ShallowMicros} us costs the waker {shallow.Nanos:0} ns")
                : costs.IdleDeepAfter,
            IdleExitShallow = soon.Less(
                $"measured here: one way of a round of threads on two CPUs, each of which works {ShallowMicros} us, " +
                "less the waker's part, the context switch and block",
                shallow, contextSwitch, block).ToCost(),
            InterruptSameNode = interrupt.ToCost(),
            IdleExitDeep = far.Less(
                $"measured here: one way of a round of threads on two CPUs, each of which works {WorkMicros} us, "
                    + "less the waker's part, the context switch, block and interruptSameNode",
                deep, contextSwitch, block, interrupt).ToCost(),
        };
    }

    private static Figure FigureOf(Cost cost) => new(cost.Nanoseconds, cost.LowNanoseconds ?? cost.Nanoseconds, cost.HighNanoseconds ?? cost.Nanoseconds, "");

    /// <summary>Says which figures could not be measured well although they were measured on, and what to do.</summary>
    internal static IEnumerable<string> Doubts(MachineDescription machine)
    {
        IEnumerable<(string Name, Cost Cost)> all =
        [
            .. from property in typeof(CostModel).GetProperties()
               where property.PropertyType == typeof(Cost)
               select ($"{char.ToLowerInvariant(property.Name[0])}{property.Name[1..]}", (Cost)property.GetValue(machine.Costs)!),
            .. from layer in machine.Layers.Values from time in layer.Times select ($"{layer.Layer}.{time.Key}", time.Value),
        ];
        foreach ((string name, Cost cost) in all)
        {
            Figure figure = FigureOf(cost);
            if (figure.High - figure.Low > WarnedNanos && figure.High - figure.Low > figure.Nanos / 2)
            {
                yield return FormattableString.Invariant($"{name} is {cost.Nanoseconds} ns, but may be {figure.Low:0} to {figure.High:0} ns; ")
                    + "calibrate again when nobody else uses the machine";
            }
        }
    }

    private LayerCosts Application(CallBenchmarks calls, Figure systemCall, int here)
    {
        var application = new ApplicationBenchmarks(_sampler, here, cancellationToken);
        Figure read = calls.ReadShared();
        Figure asynchronous = calls.AsyncIo(systemCall);
        Figure synchronous = application.Operation("psync", read);
        return new LayerCosts(
            ApplicationCosts.Layer,
            new Dictionary<string, Cost>
            {
                ["synchronous"] = synchronous.ToCost(),
                ["cold"] = application.Cold(synchronous).ToCost(),
                ["asynchronous"] = application.Operation("libaio", new Figure(
                    read.Nanos + asynchronous.Nanos + systemCall.Nanos, read.Low + asynchronous.Low + systemCall.Low,
                    read.High + asynchronous.High + systemCall.High, "")).ToCost(),
            },
            new Dictionary<string, Rate>());
    }
}
