using BenchmarkDotNet.Attributes;
using Harness.Simulation.Chance;
using Harness.Simulation.Scheduling;

namespace Harness.Benchmarks.Simulation;

/// <summary>Whole events: scheduled, ordered, hashed, run.</summary>
[MemoryDiagnoser]
public class SchedulerBenchmarks
{
    const int Events = 1_000_000;

    [Params(1, 100, 10_000)]
    public int Pending { get; set; }

    /// <summary>Bare events, each of which schedules another up to 2 µs later.</summary>
    [Benchmark(OperationsPerInvoke = Events)]
    public ulong BareEvents()
    {
        var world = new SimScheduler();
        SimRandom random = world.Random.Split("delays");
        int left = Events - Pending;
        Action<object?> run = null!;
        run = _ =>
        {
            if (left-- > 0)
            {
                world.Schedule(world.NowNanoseconds + 1 + (long)(random.NextBits() & 2047), EventKind.None, 0, run, null);
            }
        };
        for (int i = 0; i < Pending; i++)
        {
            world.Schedule(i, EventKind.None, 0, run, null);
        }
        world.RunUntilIdle();
        return world.TraceHash;
    }

    /// <summary>Charged callbacks that post to one another's loops. Each is two events: it arrives, and it is run.</summary>
    [Benchmark(OperationsPerInvoke = Events)]
    public ulong PostsBetweenLoops()
    {
        var world = new SimScheduler();
        SimProcess process = world.StartProcess("p");
        int count = Math.Min(Pending + 1, 1000);
        SimLoop[] loops = [.. Enumerable.Range(0, count).Select(i => process.StartLoop($"loop {i}"))];
        int left = Events;
        int next = 0;
        Action<object?> hop = null!;
        hop = state =>
        {
            if (left-- > 0)
            {
                ((SimLoop)state!).Charge(100);
                SimLoop other = loops[next++ % count];
                other.Post(hop, other);
            }
        };
        for (int i = 0; i < Math.Min(Pending, count); i++)
        {
            loops[i].Post(hop, loops[i]);
        }
        world.RunUntilIdle();
        return world.TraceHash;
    }
}
