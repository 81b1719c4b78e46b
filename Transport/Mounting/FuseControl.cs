namespace Harness.Transport.Mounting;

/// <summary>The kernel's list of FUSE connections (fusectl, Documentation/filesystems/fuse.rst, "Control filesystem").</summary>
public static class FuseControl
{
    /// <summary>Where fusectl is mounted, on every system that mounts it.</summary>
    public const string Root = "/sys/fs/fuse/connections";

    /// <summary>Ends a connection by force: whoever waits for it gets ECONNABORTED.</summary>
    /// <returns>Whether there was a way to.</returns>
    public static bool TryAbort(uint connection) => TryWrite(connection, "abort", "1");

    /// <summary>Requests that the kernel has sent or queued and that are not answered; null where it cannot be known.</summary>
    public static int? Waiting(uint connection)
    {
        try
        {
            return int.TryParse(File.ReadAllText($"{Root}/{connection}/waiting"), out int waiting) ? waiting : null;
        }
        catch (IOException)
        {
            return null;
        }
        catch (UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static bool TryWrite(uint connection, string file, string text)
    {
        try
        {
            File.WriteAllText($"{Root}/{connection}/{file}", text);
            return true;
        }
        catch (IOException)
        {
            return false;
        }
        catch (UnauthorizedAccessException)
        {
            return false;
        }
    }
}
