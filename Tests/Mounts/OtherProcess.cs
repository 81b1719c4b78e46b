using System.Runtime.ExceptionServices;

namespace Harness.Tests.Mounts;

/// <summary>Does things as another process would as far as locks go: on a thread with a table of descriptors of its own, which then ends.</summary>
/// <remarks>
/// The owner of a lock by process is the table of descriptors (fs/locks.c, <c>fl_owner</c>), which a thread can leave (unshare(2), CLONE_FILES)
/// taking copies along. The thread must do nothing but system calls on descriptors that it knows.
/// </remarks>
internal static class OtherProcess
{
    private const int CloneFiles = 0x400;

    public static void Run(Action action)
    {
        ExceptionDispatchInfo? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                Assert.Equal(0, PosixNative.Unshare(CloneFiles));
                action();
            }
#pragma warning disable CA1031 // It is thrown again on the thread that waits.
            catch (Exception exception)
#pragma warning restore CA1031
            {
                failure = ExceptionDispatchInfo.Capture(exception);
            }
        });
        thread.Start();
        thread.Join();
        failure?.Throw();
    }
}
