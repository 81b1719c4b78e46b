using Harness.Experiments.Plan.Workloads;

namespace Harness.Experiments.Benchmarking;

/// <summary>One measurement: a fresh mount of a contender, one job on it, an unmount.</summary>
/// <param name="Block">The repetition, from 0.</param>
/// <param name="Contender">What is mounted.</param>
/// <param name="Job">What runs on it.</param>
internal sealed record BenchTrial(int Block, Contender Contender, Workload Job)
{
    /// <summary>
    /// All trials of some matches. A block measures each contender once on each job. The jobs of a block come in random order, and for each job
    /// its contenders one after another in random order, so that a drift of the machine weighs on all alike and the two sides of a ratio are
    /// seconds apart. A contender of several matches is measured once for all of them.
    /// </summary>
    /// <param name="matches">What is compared.</param>
    /// <param name="jobs">With which jobs.</param>
    /// <param name="blocks">How often.</param>
    /// <param name="seed">The same seed gives the same order.</param>
    public static IEnumerable<BenchTrial> Plan(IReadOnlyList<Match> matches, IReadOnlyList<Workload> jobs, int blocks, int seed)
    {
        var random = new Random(seed);
        Contender[] contenders = [.. matches.SelectMany(match => new[] { match.Ours, match.Peer }).DistinctBy(contender => contender.Name)];
        for (int block = 0; block < blocks; block++)
        {
            foreach (Workload job in Shuffled(jobs, random))
            {
                foreach (Contender contender in Shuffled(contenders, random))
                {
                    yield return new BenchTrial(block, contender, job);
                }
            }
        }
    }

    private static T[] Shuffled<T>(IReadOnlyList<T> items, Random random)
    {
        T[] shuffled = [.. items];
        random.Shuffle(shuffled);
        return shuffled;
    }
}
