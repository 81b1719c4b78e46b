using System.Globalization;

namespace Harness.Experiments.Machine;

/// <summary>CPU time as the kernel counts it for each thread, to the nanosecond (Documentation/scheduler/sched-stats.rst, /proc/PID/schedstat).</summary>
internal static class SchedStat
{
    private const string FileName = "schedstat";

    /// <summary>CPU time that the calling thread has had so far.</summary>
    public static long RunTimeNanos() => Read("/proc/thread-self");

    /// <summary>CPU time that the threads of a process have had so far; one that has ended does not count.</summary>
    /// <exception cref="DirectoryNotFoundException">There is no such process.</exception>
    public static long RunTimeNanosOf(int processId) => Directory.EnumerateDirectories($"/proc/{processId}/task").Sum(ReadUnlessEnded);

    private static long ReadUnlessEnded(string thread)
    {
        try
        {
            return Read(thread);
        }
        catch (IOException)
        {
            // It has ended since it was listed.
            return 0;
        }
    }

    private static long Read(string thread) => long.Parse(File.ReadAllText(Path.Combine(thread, FileName)).Split(' ')[0], CultureInfo.InvariantCulture);
}
