using Harness.FuseProtocol;
using Mono.Unix.Native;

namespace Harness.Tests.Experiments.Backends;

/// <summary>Lets a test say which results must be successes.</summary>
internal static class ResultExtensions
{
    public static T Ok<T>(this Result<T> result)
    {
        Assert.Equal(Errnos.Ok, result.Error);
        return result.Value;
    }

    public static void Ok(this Errno error) => Assert.Equal(Errnos.Ok, error);

    /// <summary>The result of a call that must not have to wait.</summary>
    public static T Now<T>(this ValueTask<T> task)
    {
        Assert.True(task.IsCompletedSuccessfully);
        return task.Result;
    }
}
