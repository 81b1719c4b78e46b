using Harness.Runtime.Native;
using Harness.Transport;
using Harness.Transport.Mounting;

namespace Harness.Experiments.Observing.Kernel;

/// <summary>The kernel's tracing directory: found, or mounted for as long as this object lives.</summary>
internal sealed class Tracefs : IDisposable
{
    private const string Type = "tracefs";
    private const string UsualPath = "/sys/kernel/tracing";

    private readonly bool _isOurs;

    private Tracefs(string root, bool isOurs)
    {
        Root = root;
        _isOurs = isOurs;
    }

    /// <summary>Its path.</summary>
    public string Root { get; }

    /// <summary>Finds or mounts it.</summary>
    /// <exception cref="FuseTransportException">This user may not, or the kernel has none; the message says what to do.</exception>
    public static Tracefs Open()
    {
        if (!Libc.IsRoot)
        {
            throw new FuseTransportException("reading the kernel's tracepoints needs root: run with sudo");
        }

        MountEntry[] mounted = [.. MountTable.Parse(File.ReadLines("/proc/self/mountinfo")).Where(entry => entry.Type == Type)];
        if (mounted.Length > 0)
        {
            return new Tracefs(mounted[0].MountPoint, isOurs: false);
        }

        if (!Directory.Exists(UsualPath))
        {
            throw new FuseTransportException("this kernel has no tracing (CONFIG_FTRACE)");
        }

        return Libc.Mount("none", UsualPath, Type, 0, string.Empty) == 0
            ? new Tracefs(UsualPath, isOurs: true)
            : throw new FuseTransportException(
                $"tracefs could not be mounted at {UsualPath} ({Libc.LastErrno}); a container needs CAP_SYS_ADMIN, or the host's {UsualPath} bound into it");
    }

    /// <summary>Unmounts it if it was mounted here and nobody else has begun to use it.</summary>
    public void Dispose()
    {
        if (_isOurs)
        {
            _ = Libc.Umount2(Root, 0);
        }
    }
}
