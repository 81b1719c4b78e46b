using Harness.Runtime;

namespace Harness.Cluster.Client;

/// <summary>Waiting on a loop.</summary>
internal static class Waits
{
    /// <summary>Ends after so many nanoseconds, on the loop.</summary>
    public static Task Delay(ILoop loop, long nanoseconds)
    {
        var done = new TaskCompletionSource();
        loop.PostAt(loop.NowNanoseconds + nanoseconds, static state => ((TaskCompletionSource)state!).SetResult(), done);
        return done.Task;
    }
}
