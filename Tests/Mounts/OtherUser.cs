using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using Harness.Runtime.Native;

namespace Harness.Tests.Mounts;

/// <summary>Does things as another user, on a thread that becomes that user for good and ends.</summary>
/// <remarks>
/// Linux keeps ids, groups, capabilities and the umask by thread; libc's setresuid(2) would change those of all threads, the daemon's too, so the
/// calls go past it. Nothing is forked: what runs on the thread may assert, and the test sees its exceptions.
/// </remarks>
internal static class OtherUser
{
    public const uint Alice = 20_001;
    public const uint Bob = 20_002;
    public const uint AliceGroup = 30_001;
    public const uint BobGroup = 30_002;
    public const uint SharedGroup = 30_003;

    private const int CloneFs = 0x200;

    public static void AsAlice(Action action) => As(Alice, AliceGroup, [SharedGroup], action);

    public static void AsBob(Action action) => As(Bob, BobGroup, [], action);

    /// <summary>Runs <paramref name="action"/> as this user, with umask 0 unless another is given.</summary>
    public static void As(uint uid, uint gid, uint[] groups, Action action, uint umask = 0)
    {
        ExceptionDispatchInfo? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                Become(uid, gid, groups, umask);
                action();
            }
#pragma warning disable CA1031 // It is thrown again on the test's own thread.
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

    /// <summary>Runs <paramref name="action"/> as root with this umask.</summary>
    public static void WithUmask(uint umask, Action action) => As(0, 0, [], action, umask);

    private static void Become(uint uid, uint gid, uint[] groups, uint umask)
    {
        bool isX64 = RuntimeInformation.ProcessArchitecture == Architecture.X64;
        Assert.Equal(0, PosixNative.Unshare(CloneFs));
        _ = Libc.Umask(umask);
        Assert.Equal(0, Libc.SetThreadGroups(groups));
        Assert.Equal(0, Libc.Syscall(isX64 ? 119 : 149, (nint)gid, (nint)gid, (nint)gid, 0, 0, 0));
        Assert.Equal(0, Libc.Syscall(isX64 ? 117 : 147, (nint)uid, (nint)uid, (nint)uid, 0, 0, 0));
    }
}
