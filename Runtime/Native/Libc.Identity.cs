using System.Runtime.InteropServices;

namespace Harness.Runtime.Native;

/// <content>
/// Who the calling thread is. Linux keeps all of this by thread; libc makes some of it look like the process's, so that what is meant for one
/// thread goes past libc (nptl(7), "NPTL and the POSIX threads standard").
/// </content>
internal static unsafe partial class Libc
{
    // unshare(2): an umask and a working directory of the thread's own.
    private const int CloneFs = 0x200;
    private const uint CapabilityVersion3 = 0x20080522;

    private static bool IsX64 => RuntimeInformation.ProcessArchitecture == Architecture.X64;

    /// <summary>Sets the thread's file-system user id; −1 changes nothing. Fails silently.</summary>
    /// <returns>The id before.</returns>
    [LibraryImport(Library, EntryPoint = "setfsuid")]
    public static partial uint SetFsUid(uint uid);

    /// <summary>Sets the thread's file-system group id, as <see cref="SetFsUid"/>.</summary>
    [LibraryImport(Library, EntryPoint = "setfsgid")]
    public static partial uint SetFsGid(uint gid);

    /// <summary>Sets the umask of the thread, or of all threads that share it.</summary>
    /// <returns>The umask before.</returns>
    [LibraryImport(Library, EntryPoint = "umask")]
    public static partial uint Umask(uint mask);

    [LibraryImport(Library, EntryPoint = "unshare", SetLastError = true)]
    private static partial int Unshare(int flags);

    [LibraryImport(Library, EntryPoint = "capget", SetLastError = true)]
    private static partial int Capget(CapabilityHeader* header, CapabilityWord* data);

    [LibraryImport(Library, EntryPoint = "capset", SetLastError = true)]
    private static partial int Capset(CapabilityHeader* header, CapabilityWord* data);

    [LibraryImport(Library, EntryPoint = "prlimit", SetLastError = true)]
    private static partial int Prlimit(int pid, int resource, ResourceLimit* newLimit, ResourceLimit* oldLimit);

    [LibraryImport(Library, EntryPoint = "setpriority", SetLastError = true)]
    private static partial int SetPriority(int which, uint who, int priority);

    /// <summary>Has the calling thread stand back behind others: 0 is as usual, 19 is last (setpriority(2), whose 0 is a thread on Linux).</summary>
    public static void SetThreadNice(int nice) => _ = SetPriority(0, 0, nice);

    /// <summary>Gives the calling thread an umask and a working directory of its own.</summary>
    public static int UnshareFs() => Unshare(CloneFs);

    /// <summary>Sets the calling thread's supplementary groups.</summary>
    public static int SetThreadGroups(ReadOnlySpan<uint> groups)
    {
        fixed (uint* list = groups)
        {
            return (int)Syscall(IsX64 ? 116 : 159, groups.Length, (nint)list, 0, 0, 0, 0);
        }
    }

    /// <summary>Reads the calling thread's capabilities.</summary>
    public static int GetThreadCapabilities(out Capabilities capabilities)
    {
        var header = new CapabilityHeader { Version = CapabilityVersion3 };
        CapabilityWord* words = stackalloc CapabilityWord[2];
        int result = Capget(&header, words);
        capabilities = new Capabilities(
            words[0].Effective | ((ulong)words[1].Effective << 32),
            words[0].Permitted | ((ulong)words[1].Permitted << 32),
            words[0].Inheritable | ((ulong)words[1].Inheritable << 32));
        return result;
    }

    /// <summary>Sets the calling thread's capabilities.</summary>
    public static int SetThreadCapabilities(in Capabilities capabilities)
    {
        var header = new CapabilityHeader { Version = CapabilityVersion3 };
        CapabilityWord* words = stackalloc CapabilityWord[2];
        for (int i = 0; i < 2; i++)
        {
            words[i].Effective = (uint)(capabilities.Effective >> (32 * i));
            words[i].Permitted = (uint)(capabilities.Permitted >> (32 * i));
            words[i].Inheritable = (uint)(capabilities.Inheritable >> (32 * i));
        }

        return Capset(&header, words);
    }

    /// <summary>Reads, and unless <paramref name="raised"/> is null sets, the limit on this process's file descriptors (getrlimit(2)).</summary>
    public static int FileLimit(ResourceLimit? raised, out ResourceLimit limit)
    {
        const int RlimitNofile = 7;
        ResourceLimit now = raised ?? default;
        fixed (ResourceLimit* read = &limit)
        {
            return Prlimit(0, RlimitNofile, raised is null ? null : &now, read);
        }
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct CapabilityHeader
    {
        public uint Version;
        public int Pid;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct CapabilityWord
    {
        public uint Effective;
        public uint Permitted;
        public uint Inheritable;
    }
}

/// <summary>A thread's capabilities as bit masks (capabilities(7)).</summary>
internal readonly record struct Capabilities(ulong Effective, ulong Permitted, ulong Inheritable)
{
    public const ulong DacOverride = 1UL << 1;
    public const ulong DacReadSearch = 1UL << 2;
    public const ulong Fsetid = 1UL << 4;
    public const ulong Setgid = 1UL << 6;
    public const ulong Setuid = 1UL << 7;
    public const ulong Mknod = 1UL << 27;
}

/// <summary><c>struct rlimit</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct ResourceLimit
{
    public ulong Soft;
    public ulong Hard;
}
