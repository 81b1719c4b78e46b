using Harness.Experiments.Calibration;
using Harness.Runtime;
using Harness.Transport;

namespace Harness.Tests.Experiments.Calibration;

/// <summary>A benchmark that is given up in the middle, or whose partner never came, ends: nobody waits for a thread that does not end.</summary>
public sealed class InterruptedBenchmarksTests
{
    private const double WorkMicros = 1;
    private const int NoCpu = CpuSet.NumberMax;

    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(30);
    private static readonly int s_here = Topology.Current.Online.Numbers.First();
    private static readonly int s_there = Topology.Current.Online.Numbers.Last();
    private static readonly Figure s_nothing = new(0, 0, 0, "");

    private static readonly Dictionary<string, Action<Sampler, int>> s_onOneCpu = new()
    {
        ["EventCalls"] = (sampler, there) => Wakes(sampler, there).EventCalls(),
        ["ThreadSwitch"] = (sampler, there) => Wakes(sampler, there).ThreadSwitch(),
        ["ContextSwitch"] = (sampler, there) => Wakes(sampler, there).ContextSwitch(),
        ["HopOnOneCpu"] = (sampler, there) => Wakes(sampler, there).HopOnOneCpu(s_nothing),
        ["PreemptionDelay"] = (sampler, there) => Wakes(sampler, there).PreemptionDelay(s_nothing, s_nothing),
        ["WakerShareHere"] = (sampler, there) => Wakes(sampler, there).WakerShareHere(s_nothing),
        ["Uncontended"] = (sampler, there) => Locks(sampler, there).Uncontended(),
    };

    private static readonly Dictionary<string, Action<Sampler, int>> s_onTwoCpus = new()
    {
        ["Packing"] = (sampler, there) => new PackingBenchmark(sampler, s_here, there).Measure(0),
        ["WakerShare"] = (sampler, there) => Wakes(sampler, there).WakerShare(WorkMicros, s_nothing),
        ["HopToOther"] = (sampler, there) => Wakes(sampler, there).HopToOther(WorkMicros, s_nothing),
        ["HopToBusy"] = (sampler, there) => Wakes(sampler, there).HopToBusy(s_nothing),
        ["LineTransfer"] = (sampler, there) => Locks(sampler, there).LineTransfer(),
        ["HandOver"] = (sampler, there) => Locks(sampler, there).HandOver(),
    };

    /// <summary>Two threads that spin for each other on one CPU would take a time slice for each round.</summary>
    public static TheoryData<string> All => [.. s_onOneCpu.Keys, .. s_onTwoCpus.Keys.Where(_ => s_here != s_there)];

    public static TheoryData<string> OnTwoCpus => [.. s_onTwoCpus.Keys];

    [Theory]
    [MemberData(nameof(All))]
    public Task AnInterruptedBenchmarkEnds(string name)
    {
        var sampler = new Sampler(Sampler.BatchesMin, new CancellationToken(canceled: true));
        return Assert.ThrowsAsync<OperationCanceledException>(() => Run(name, sampler, s_there));
    }

    [Theory]
    [MemberData(nameof(OnTwoCpus))]
    public async Task ABenchmarkWithoutAPartnerEndsAndSaysWhyThereIsNone(string name)
    {
        var sampler = new Sampler(Sampler.BatchesMin, CancellationToken.None);
        FuseTransportException refusal = await Assert.ThrowsAsync<FuseTransportException>(() => Run(name, sampler, NoCpu));
        Assert.Contains($"CPU {NoCpu}", refusal.Message, StringComparison.Ordinal);
    }

    /// <summary>On a thread of its own, so that one that hangs fails its test and no other.</summary>
    private static Task Run(string name, Sampler sampler, int there)
    {
        Action<Sampler, int> benchmark = s_onOneCpu.GetValueOrDefault(name) ?? s_onTwoCpus[name];
        return Task.Factory.StartNew(() => benchmark(sampler, there), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)
            .WaitAsync(s_limit);
    }

    private static WakeBenchmarks Wakes(Sampler sampler, int there) => new(sampler, s_here, there);

    private static LockBenchmarks Locks(Sampler sampler, int there) => new(sampler, s_here, there);
}
