using Harness.Runtime;

namespace Harness.Cluster.Chunks.Server;

/// <summary>Does something once whenever a server has had nothing to do for a while, after it had.</summary>
/// <param name="loop">The server's loop.</param>
/// <param name="work">Counts what it has done; callable on the loop.</param>
/// <param name="rest">What to do; the next look comes after it.</param>
internal sealed class IdleWatch(ILoop loop, Func<long> work, Func<Task> rest)
{
    /// <summary>How long nothing must have happened: longer than pauses within one job are.</summary>
    public const long IdleNanoseconds = 15_000_000_000;

    private const long LookNanoseconds = 1_000_000_000;

    private bool _isStopped;

    /// <summary>Begins to look, on the loop and for the life of the server.</summary>
    /// <remarks>What it might throw ends the process.</remarks>
    public async void Start()
    {
        long restedAt = work();
        long seen = restedAt;
        long changedAt = loop.NowNanoseconds;
        while (!_isStopped)
        {
            if (seen != work())
            {
                (seen, changedAt) = (work(), loop.NowNanoseconds);
            }
            else if (seen != restedAt && loop.NowNanoseconds - changedAt >= IdleNanoseconds)
            {
                restedAt = seen;
                await rest();
            }

            await LoopYield.Delay(loop, LookNanoseconds);
        }
    }

    /// <summary>No longer looks.</summary>
    public void Stop() => _isStopped = true;
}
