using Harness.Runtime;

namespace Harness.Cluster.Net;

/// <summary>Getting onto a loop.</summary>
internal static class Loops
{
    private static readonly Action<object?> s_run = static state => ((Action)state!)();

    /// <summary>Runs <paramref name="action"/> on <paramref name="loop"/>: now if that is the one that runs, otherwise as soon as it can.</summary>
    public static void OnLoop(ILoop loop, Action action)
    {
        if (loop.IsCurrent)
        {
            action();
        }
        else
        {
            loop.Post(s_run, action);
        }
    }
}
