using Harness.Runtime.Native;
using static Harness.Tests.Mounts.Posix;

namespace Harness.Tests.Posix;

/// <summary>Times of files in tests.</summary>
/// <remarks>
/// Kernels stamp files with a clock that ticks every few milliseconds, so that "changed" is only seen against a time that was set long ago. The
/// time of the last change of attributes cannot be set; that it moves is seen after the clock's next tick.
/// </remarks>
internal static class Times
{
    /// <summary>A time that no call gives a file by itself.</summary>
    public static TimeSpec LongAgo { get; } = new() { Seconds = 1_000_000, Nanoseconds = 123_456_789 };

    public static bool IsLongAgo(FileTime time) => (time.Seconds, time.Nanoseconds) == (LongAgo.Seconds, LongAgo.Nanoseconds);

    public static Int128 Nanos(FileTime time) => ((Int128)time.Seconds * 1_000_000_000) + time.Nanoseconds;

    /// <summary>A file of four bytes that was last read and changed long ago.</summary>
    public static string NewOldFile(string directory)
    {
        string file = Path.Combine(directory, "old");
        Write(file, "text");
        Ok(Utimens(file, LongAgo, LongAgo));
        return file;
    }

    /// <summary>Waits until the clock that stamps files has moved on from <paramref name="time"/>: whatever changes now is later.</summary>
    public static void AwaitTick(FileTime time)
    {
        string probe = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        Write(probe);
        do
        {
            Ok(Chmod(probe, 0x180));
        }
        while (Nanos(Stat(probe).Ctime) <= Nanos(time));

        Ok(Unlink(probe));
    }
}
