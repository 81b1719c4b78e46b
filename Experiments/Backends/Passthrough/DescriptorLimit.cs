using Harness.Runtime.Native;

namespace Harness.Experiments.Backends.Passthrough;

/// <summary>How many descriptors this process may have.</summary>
internal static class DescriptorLimit
{
    private const string NrOpen = "/proc/sys/fs/nr_open";

    /// <summary>Raises the limit as far as it goes: as root to the machine's bound (fs.nr_open), otherwise to the hard limit.</summary>
    /// <param name="spare">How far below that to stay.</param>
    /// <returns>The limit in force.</returns>
    public static int Raise(int spare = 0)
    {
        _ = Libc.FileLimit(null, out ResourceLimit limit);
        ulong bound = ulong.TryParse(File.Exists(NrOpen) ? File.ReadAllText(NrOpen) : string.Empty, out ulong machine) ? machine : limit.Hard;
        ulong highest = Math.Max(bound, limit.Hard);

        // A limit that is too low only makes ENFILE come earlier, so that a refusal here is no error.
        if (Libc.FileLimit(new ResourceLimit { Soft = highest, Hard = highest }, out _) != 0)
        {
            _ = Libc.FileLimit(new ResourceLimit { Soft = limit.Hard, Hard = limit.Hard }, out _);
        }

        _ = Libc.FileLimit(null, out limit);
        if (spare > 0)
        {
            limit.Soft = Math.Max(limit.Soft, (ulong)spare) - (ulong)spare;
            _ = Libc.FileLimit(limit, out _);
        }

        return (int)Math.Min(limit.Soft, int.MaxValue);
    }
}
