namespace Harness.Experiments.Plan;

internal static partial class Knobs
{
    /// <summary>All knobs, in the order in which help texts and records list them.</summary>
    /// <remarks>Made on first use: in which order the parts of this class initialize is not defined.</remarks>
    public static IReadOnlyList<Knob> All => field ??=
    [
        Channel, Affinity, QueueDepth, Threads, Spin, MaxWrite, AsyncDio, Writeback, KernelPassthrough, MaxBackground, CongestionThreshold, MaxReadahead,
        Latency, EntryTimeout, AttrTimeout, NegativeTimeout, DirectIo, KeepCache, CacheDir, Noflush, ParallelDirectWrites, RequestTimeout,
        .. InitFlagKnobs.Values,
    ];
}
