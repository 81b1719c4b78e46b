using BenchmarkDotNet.Attributes;
using Harness.Simulation.Chance;
using Harness.Simulation.Scheduling;

namespace Harness.Benchmarks.Simulation;

/// <summary>
/// The hold model: so many events are pending, the earliest is taken out and one is put in a little later. Time per pair. "Near" draws the
/// delay from 0 to 2 µs, as locks and copies do; "far" makes every eighth one of up to 10 ms, as disks and time-outs do.
/// </summary>
[MemoryDiagnoser]
public class EventQueueBenchmarks
{
    const int Operations = 1 << 16;

    readonly long[] delays = new long[Operations];
    IKeyQueue queue = new QuaternaryHeap();
    ulong order;

    [Params("quaternary heap", "framework", "pairing heap", "timing wheel")]
    public string Queue { get; set; } = "";

    [Params(16, 256, 16384)]
    public int Pending { get; set; }

    [Params("near", "far")]
    public string Delays { get; set; } = "";

    [GlobalSetup]
    public void SetUp()
    {
        queue = Queue switch
        {
            "quaternary heap" => new QuaternaryHeap(),
            "framework" => new FrameworkQueue(),
            "pairing heap" => new PairingHeap(),
            _ => new TimingWheel(),
        };
        var random = new SimRandom(1);
        for (int i = 0; i < Operations; i++)
        {
            delays[i] = random.Next(Delays == "far" && i % 8 == 0 ? 10_000_000 : 2000);
        }
        for (int i = 0; i < Pending; i++)
        {
            queue.Push(new EventKey(delays[i % Operations], ++order, i));
        }
    }

    [Benchmark(OperationsPerInvoke = Operations)]
    public long Hold()
    {
        long now = 0;
        foreach (long delay in delays)
        {
            EventKey earliest = queue.Pop();
            now = earliest.Due;
            queue.Push(new EventKey(now + delay, ++order, earliest.Slot));
        }
        return now;
    }
}
