using Harness.Experiments.Machine;
using Harness.Experiments.Plan;
using Harness.Runtime;
using Harness.Transport;
using Harness.Transport.Mounting;
using Harness.Transport.Uring;

namespace Harness.Experiments.Mounting;

/// <summary>The one place that knows which channel a name stands for, and what the machine must offer for it.</summary>
internal static class ChannelFactory
{
    private const string EnableUring = "/sys/module/fuse/parameters/enable_uring";

    // Rings with more than this share of memory would leave too little for the page cache that they serve.
    private const double RingMemoryShareMax = 0.5;

    /// <summary>Makes a mount's channel.</summary>
    public static IFuseChannel Create(MountSpec spec, FuseMount mount) => spec.Channel == Knobs.IoUring
        ? new UringChannel(
            mount.Device,
            new UringOptions { Depth = spec.QueueDepth, MessageBytes = spec.MaxWrite, Affinity = spec.Affinity },
            () => mount.TryAbort())
        : new DevFuseChannel(
            mount.Device,
            new DevFuseOptions
            {
                Threads = spec.Threads,
                ClonePerThread = spec.Channel == Knobs.Clone,
                MessageBytes = spec.MaxWrite,
                Affinity = spec.Affinity,
            });

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
        if (!File.Exists(EnableUring))
        {
            throw new FuseTransportException(
                "This kernel has no FUSE over io_uring: it needs Linux 6.14 with CONFIG_FUSE_IO_URING=y. Choose --channel clone.");
        }

        return MachineInfo.ReadSetting(EnableUring) is "Y" or "1" ? [] : [new SystemSetting(EnableUring, "Y")];
    }

    private static void CheckMemory(MountSpec spec)
    {
        int cpus = Topology.Current.Possible.Count;
        long bytes = (long)cpus * spec.QueueDepth * spec.MaxWrite;
        long memory = MachineInfo.Read().MemoryBytes;
        if (bytes > memory * RingMemoryShareMax)
        {
            throw new FuseTransportException(
                $"The rings would take {cpus} CPUs × {spec.QueueDepth} entries × {spec.MaxWrite >> 10} KiB = {bytes >> 20} MiB, more than half of the " +
                $"machine's {memory >> 20} MiB. Choose a smaller --queue-depth or --max-write.");
        }
    }
}
