using Harness.Experiments.Keeping;
using Harness.Experiments.Machine;
using Harness.Experiments.Plan;
using Harness.Runtime;
using Harness.Transport;
using Harness.Transport.Mounting;
using Harness.Transport.Uring;
using Microsoft.Win32.SafeHandles;

namespace Harness.Experiments.Mounting;

/// <summary>The one place that knows which channel a name stands for, and what the machine must offer for it.</summary>
internal static class ChannelFactory
{
    // What nobody asked for should not take gigabytes: on more CPUs, or with longer messages, the rings have to be asked for by name.
    private const long AutoRingBytesMax = 1L << 30;

    // Rings with more than this share of memory would leave too little for the page cache that they serve.
    private const double RingMemoryShareMax = 0.5;

    /// <summary>
    /// The channel that was asked for, and for <c>auto</c> the fastest that can be had: the rings, unless the kernel lacks them, only root could
    /// switch them on, they would take too much memory, or the mount is to be kept. A store with a latency wants more requests in flight than
    /// rings have entries, and what a request costs the CPU does not matter to it.
    /// </summary>
    public static string Choose(MountSpec spec)
    {
        string asked = spec.Knobs[Knobs.Channel].Text;
        if (asked != Knobs.Auto)
        {
            return asked;
        }

        return UringSupport.CanBeHad && !spec.Keep && spec.Latency == TimeSpan.Zero && RingBytes(spec) <= AutoRingBytesMax ? Knobs.IoUring : Knobs.DevFuse;
    }

    /// <summary>Makes a mount's channel.</summary>
    public static IFuseChannel Create(MountSpec spec, FuseMount mount) => spec.Channel == Knobs.IoUring
        ? new UringChannel(
            mount.Device,
            new UringOptions { Depth = spec.QueueDepth, MessageBytes = spec.MaxWrite, Affinity = spec.Affinity, Spin = spec.Spin },
            () => mount.TryAbort())
        : new DevFuseChannel(mount.Device, DeviceOptions(spec));

    /// <summary>Makes the channel of a kept mount, on fds that outlive it.</summary>
    public static DevFuseChannel Create(MountSpec spec, IReadOnlyList<SafeFileHandle> devices) =>
        new(devices, DeviceOptions(spec) with { ResidentBuffers = true, SlotsMax = KeptDaemon.SlotsMax });

    /// <summary>What must be switched on for the channel, from before mount(2) until INIT is over.</summary>
    /// <exception cref="FuseTransportException">This machine has no such channel, or not the memory for it.</exception>
    public static IEnumerable<SystemSetting> Needs(MountSpec spec)
    {
        if (!Knobs.Channels.Contains(spec.Channel))
        {
            throw new FuseTransportException(
                $"No kernel has the channel {spec.Channel}: it exists in simulation only. Choose one of {string.Join(", ", Knobs.Channels)}.");
        }

        if (spec.Channel != Knobs.IoUring)
        {
            return [];
        }

        CheckMemory(spec);
        if (!UringSupport.IsBuiltIn)
        {
            throw new FuseTransportException(
                "This kernel has no FUSE over io_uring: it needs Linux 6.14 with CONFIG_FUSE_IO_URING=y. Choose --channel clone.");
        }

        return [UringSupport.SwitchedOn];
    }

    private static long RingBytes(MountSpec spec) => (long)Topology.Current.Possible.Count * spec.QueueDepth * spec.MaxWrite;

    private static DevFuseOptions DeviceOptions(MountSpec spec) => new()
    {
        Threads = spec.Threads,
        ClonePerThread = spec.Channel == Knobs.Clone,
        MessageBytes = spec.MaxWrite,
        Affinity = spec.Affinity,
        Spin = spec.Spin,
    };

    private static void CheckMemory(MountSpec spec)
    {
        int cpus = Topology.Current.Possible.Count;
        long bytes = RingBytes(spec);
        long memory = MachineInfo.Read().MemoryBytes;
        if (bytes > memory * RingMemoryShareMax)
        {
            throw new FuseTransportException(
                $"The rings would take {cpus} CPUs × {spec.QueueDepth} entries × {spec.MaxWrite >> 10} KiB = {bytes >> 20} MiB, more than half of the " +
                $"machine's {memory >> 20} MiB. Choose a smaller --queue-depth or --max-write.");
        }
    }
}
