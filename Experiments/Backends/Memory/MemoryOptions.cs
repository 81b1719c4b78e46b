using Mono.Unix.Native;

namespace Harness.Experiments.Backends.Memory;

/// <summary>When reading marks a file as read, as mount(8) names it.</summary>
internal enum AtimeUpdate
{
    /// <summary>If it was changed since it was last marked, or a day has passed (<c>relatime</c>, what Linux does by default).</summary>
    Relative,

    /// <summary>Each time (<c>strictatime</c>).</summary>
    Strict,

    /// <summary>Never (<c>noatime</c>).</summary>
    Never,
}

/// <summary>The limits and habits of a <see cref="MemoryFileSystem"/>.</summary>
internal sealed record MemoryOptions
{
    private const long BytesPerInode = 8192;
    private const long InodesMin = 1024;

    /// <summary>Most bytes that files and extended attributes may hold, counted in pages (default: half of this machine's memory); beyond it ENOSPC.</summary>
    public long CapacityBytes
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, PagePool.PageBytes);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, PagePool.CapacityBytesMax);
            field = value;
        }
    } = Math.Min(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 2, PagePool.CapacityBytesMax);

    /// <summary>Most names of files and directories there may be (default: one for each 8 KiB of capacity); beyond it ENOSPC.</summary>
    /// <remarks>Further names of a file count too, as on tmpfs (mm/shmem.c, <c>shmem_link</c>): they also take memory.</remarks>
    public long InodesMax
    {
        get => field > 0 ? field : Math.Max(InodesMin, CapacityBytes / BytesPerInode);
        init
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, 1);
            field = value;
        }
    }

    /// <summary>When reading changes the time of last access (default <see cref="AtimeUpdate.Relative"/>).</summary>
    public AtimeUpdate Atime { get; init; }

    /// <summary>Permissions of the root directory (default 0755).</summary>
    public FilePermissions RootMode { get; init; } = (FilePermissions)0x1ED;

    /// <summary>What all backends have in common; the root directory belongs to its user and group.</summary>
    public BackendOptions Backend { get; init; } = new();
}
