namespace Harness.Cluster.Disk;

/// <summary>How a simulated disk behaves. A campaign may change it while the world runs.</summary>
internal sealed class SimDiskOptions
{
    /// <summary>A solid-state disk behind a page cache.</summary>
    public static SimDiskOptions Ssd() => new();

    /// <summary>A disk of 7,200 revolutions a minute: 8.5 ms to seek and half a turn of 4.2 ms (the usual data sheet), 150 MB/s.</summary>
    public static SimDiskOptions Rotating() => new() { ReadNanoseconds = 12_700_000, SyncNanoseconds = 12_700_000, BytesPerSecond = 150_000_000 };

    /// <summary>Until a read that misses the page cache has its first byte. Default 80 µs.</summary>
    public long ReadNanoseconds { get; set; } = 80_000;

    /// <summary>A write into the page cache, or a read from it. Default 2 µs.</summary>
    public long CachedNanoseconds { get; set; } = 2_000;

    /// <summary>The least that a sync takes. Default 75 µs.</summary>
    public long SyncNanoseconds { get; set; } = 75_000;

    /// <summary>What the device moves. Default 2 GB/s.</summary>
    public long BytesPerSecond { get; set; } = 2_000_000_000;

    /// <summary>The chance that a read misses the page cache. Default 0.1.</summary>
    public double MissChance { get; set; } = 0.1;

    /// <summary>Size. Default 1 TiB. Writes beyond it get ENOSPC.</summary>
    public long CapacityBytes { get; set; } = 1L << 40;

    /// <summary>The most files. Default 2^31 - 1. Beyond it none can be made: ENOSPC.</summary>
    public long FilesMax { get; set; } = int.MaxValue;

    /// <summary>A fault: the device is so many times slower. Default 1.</summary>
    public int Slowness { get; set; } = 1;

    /// <summary>A fault: the chance that a call gets EIO.</summary>
    public double ErrorChance { get; set; }

    /// <summary>A fault: the chance that a write is reported done and never reaches the medium, not even after a sync.</summary>
    public double LostWriteChance { get; set; }
}
