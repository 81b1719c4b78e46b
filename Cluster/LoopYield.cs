using Harness.Runtime;

namespace Harness.Cluster;

/// <summary>Lets a loop's other work run in the midst of a long piece of one's own.</summary>
internal static class LoopYield
{
    private static readonly Action<object?> s_resume = static state => ((TaskCompletionSource)state!).SetResult();

    /// <summary>Goes on behind what is queued on the loop now.</summary>
    public static Task Yield(ILoop loop)
    {
        var later = new TaskCompletionSource();
        loop.Post(s_resume, later);
        return later.Task;
    }

    /// <summary>Goes on after so long.</summary>
    public static Task Delay(ILoop loop, long nanoseconds)
    {
        var later = new TaskCompletionSource();
        loop.PostAt(loop.NowNanoseconds + nanoseconds, s_resume, later);
        return later.Task;
    }
}
