using Harness.Transport;

namespace Harness.Experiments.Machine;

/// <summary>Whether this process can mount FUSE at all.</summary>
internal static class FuseProbe
{
    private const string Device = "/dev/fuse";

    /// <summary>Why it cannot, and what to do; null if it can.</summary>
    public static string? Problem()
    {
        if (!File.Exists(Device))
        {
            return $"There is no {Device}: the kernel has no FUSE. Load it first: modprobe fuse";
        }

        try
        {
            File.Open(Device, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite).Dispose();
        }
        catch (Exception exception) when (exception is UnauthorizedAccessException or IOException)
        {
            return $"{Device} may not be opened: this user, container or sandbox must be given the device.";
        }

        bool root = Environment.IsPrivilegedProcess;
        bool helper = (Environment.GetEnvironmentVariable("PATH") ?? string.Empty).Split(':').Any(path => File.Exists(Path.Combine(path, "fusermount3")));
        return root || helper ? null : "Mounting as an ordinary user needs fusermount3. Install it: sudo apt-get install -y fuse3";
    }

    /// <summary>Fails where it cannot.</summary>
    /// <exception cref="FuseTransportException">It cannot; the message says why.</exception>
    public static void Require()
    {
        if (Problem() is string problem)
        {
            throw new FuseTransportException(problem);
        }
    }
}
