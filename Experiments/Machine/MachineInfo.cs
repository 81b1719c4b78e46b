using Harness.Runtime;

namespace Harness.Experiments.Machine;

/// <summary>What machine this is.</summary>
/// <param name="KernelRelease">As <c>uname -r</c> prints it.</param>
/// <param name="KernelVersion">As <c>uname -v</c> prints it.</param>
/// <param name="CpuModel">As the kernel names it.</param>
/// <param name="MemoryBytes">Main memory, in bytes.</param>
/// <param name="Topology">CPUs and NUMA nodes.</param>
internal sealed record MachineInfo(string KernelRelease, string KernelVersion, string CpuModel, long MemoryBytes, Topology Topology)
{
    private const string Unknown = "unknown";

    /// <summary>Reads this machine from /proc and /sys.</summary>
    public static MachineInfo Read() => new(
        ReadSetting("/proc/sys/kernel/osrelease"),
        ReadSetting("/proc/sys/kernel/version"),
        Field("/proc/cpuinfo", "model name") ?? Unknown,
        long.TryParse(Field("/proc/meminfo", "MemTotal")?.Split(' ')[0], out long kibibytes) ? kibibytes * 1024 : 0,
        Topology.Current);

    /// <summary>The text of a setting's file; "unknown" where it cannot be read.</summary>
    public static string ReadSetting(string path)
    {
        try
        {
            return File.ReadAllText(path).Trim();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return Unknown;
        }
    }

    private static string? Field(string path, string name) => File.ReadLines(path)
        .Select(line => line.Split(':', 2))
        .FirstOrDefault(parts => parts.Length == 2 && parts[0].Trim() == name)?[1].Trim();
}
