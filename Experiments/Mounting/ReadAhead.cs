using Harness.Transport;

namespace Harness.Experiments.Mounting;

/// <summary>
/// Readahead beyond what the kernel offers at INIT: a mount's backing-device setting, named after the device number of the mount
/// (Documentation/ABI/testing/sysfs-class-bdi).
/// </summary>
internal static class ReadAhead
{
    /// <summary>VM_READAHEAD_PAGES, which every mount starts with (include/linux/mm.h), in bytes.</summary>
    private const int KernelDefault = 128 << 10;

    /// <summary>Sets the mount's readahead if more than the kernel's own is wanted.</summary>
    /// <exception cref="FuseTransportException">Only root can.</exception>
    public static void Apply(int bytes, uint connection)
    {
        if (bytes <= KernelDefault)
        {
            return;
        }

        string path = $"/sys/class/bdi/0:{connection}/read_ahead_kb";
        try
        {
            File.WriteAllText(path, $"{bytes >> 10}");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new FuseTransportException(
                $"max-readahead above {KernelDefault >> 10}K needs {path}, which could not be written: {exception.Message} Run as root.", exception);
        }
    }
}
