using Harness.Simulation.Machines;
using Harness.Transport.Simulated.Requests;

namespace Harness.Transport.Simulated.Queues;

/// <summary>
/// How requests travel from those who make them to the daemon's threads, and answers back: what the designs differ in. A new design is a
/// class beside these and a line in <see cref="QueueDesigns"/>.
/// </summary>
internal abstract class RequestQueue
{
    /// <summary>System calls that a daemon's thread makes for one request: read and write, or one that does both.</summary>
    public virtual int SystemCallsPerRequest => 2;

    /// <summary>Whether data are copied between application and daemon; with shared buffers they are not.</summary>
    public virtual bool CopiesData => true;

    /// <summary>What the lock of the connection's background requests is held for.</summary>
    public virtual BackgroundLocking BackgroundLocking => BackgroundLocking.WhileSending;

    /// <summary>How many threads the daemon has, if that is not its own to choose.</summary>
    public virtual int? Readers => null;

    /// <summary>Whether a request keeps its entry of a ring until it is answered, so that the ring's depth limits them.</summary>
    public virtual bool IsRing => false;

    /// <summary>The CPUs whose requests a daemon's thread takes, where the design divides them: next to each other.</summary>
    public virtual CpuSet? Home(int reader) => null;

    /// <summary>Puts a request where the daemon finds it, and wakes a thread of the daemon that waits.</summary>
    public abstract ValueTask Put(SimThread sender, KernelRequest request);

    /// <summary>An interrupt or a forget is there for the daemon, which <see cref="FuseConnection.TakeUrgent"/> hands out.</summary>
    public abstract ValueTask PutUrgent(SimThread sender);

    /// <summary>Takes the next message, and waits for one if there is none.</summary>
    public abstract ValueTask<KernelRequest> Take(SimThread reader, int index);

    /// <summary>As <see cref="Take"/>, but null if there is none: for a thread that asks again instead of sleeping.</summary>
    public abstract ValueTask<KernelRequest?> TryTake(SimThread reader, int index);

    /// <summary>A request has been handed over to the daemon: keeps it where its answer will look for it.</summary>
    public abstract ValueTask Keep(SimThread reader, int index, KernelRequest request);

    /// <summary>An answer has come: finds the request that it is for.</summary>
    public abstract ValueTask Find(SimThread answerer, int index, KernelRequest request);
}

/// <summary>What <c>fc->bg_lock</c> is held for.</summary>
internal enum BackgroundLocking
{
    /// <summary>For the counters and until the request is in its queue and a reader is awake (fs/fuse/dev.c, <c>flush_bg_queue</c>).</summary>
    WhileSending,

    /// <summary>For the counters alone (fs/fuse/dev_uring.c, <c>fuse_uring_queue_bq_req</c>).</summary>
    Counters,

    /// <summary>There is none: each CPU counts for itself.</summary>
    None,
}
