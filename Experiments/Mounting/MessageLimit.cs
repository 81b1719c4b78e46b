using Harness.Experiments.Machine;
using Harness.FuseProtocol;

namespace Harness.Experiments.Mounting;

/// <summary>
/// The kernel's limit on the pages of one message (<c>/proc/sys/fs/fuse/max_pages_limit</c>, Linux 6.13), raised from mount(2), where a
/// connection copies it (fs/fuse/inode.c, <c>fuse_conn_init</c>), until INIT is over.
/// </summary>
internal static class MessageLimit
{
    private const string Path = "/proc/sys/fs/fuse/max_pages_limit";

    /// <summary>What every kernel before the sysctl had built in.</summary>
    private const int BuiltIn = 256;

    /// <summary>The limit in force, in pages.</summary>
    public static int Pages => File.Exists(Path) && int.TryParse(File.ReadAllText(Path), out int pages) ? pages : BuiltIn;

    /// <summary>The limit that messages of this size need, where it is too low.</summary>
    /// <exception cref="Transport.FuseTransportException">This kernel's limit is fixed.</exception>
    public static IEnumerable<SystemSetting> Needs(int maxWrite)
    {
        int pages = (maxWrite + SessionOptions.PageSize - 1) / SessionOptions.PageSize;
        if (pages <= Math.Min(Pages, BuiltIn))
        {
            return [];
        }

        return File.Exists(Path)
            ? [new SystemSetting(Path, pages.ToString())]
            : throw new Transport.FuseTransportException(
                $"This kernel limits a message to {BuiltIn * SessionOptions.PageSize} bytes (Linux 6.13 made it a sysctl); choose a smaller max-write.");
    }
}
