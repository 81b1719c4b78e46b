using Harness.Cluster.Net;
using Harness.FuseProtocol.Wire;

namespace Harness.Cluster.Client;

/// <summary>How a client behaves.</summary>
internal sealed record ClusterClientOptions
{
    /// <summary>Where the metadata servers listen; any one of them may lead.</summary>
    public required IReadOnlyList<NodeAddress> MetadataServers { get; init; }

    /// <summary>For people: who this is, as <c>status</c> shows it.</summary>
    public string Name { get; init; } = "client";

    /// <summary>
    /// Whether buffered writes may wait in this process, under a lease (default yes). Otherwise every write goes to all replicas before it
    /// returns, as O_DIRECT ones always do.
    /// </summary>
    public bool WriteBehind { get; init; } = true;

    /// <summary>Whether the kernel may remember that a name is absent, for as long as the lease on its directory lives (default yes).</summary>
    public bool NegativeEntries { get; init; } = true;

    /// <summary>Bytes that may wait to be written, over all files (default 64 MiB); beyond it writers wait.</summary>
    public long DirtyBytesMax { get; init; } = 64 << 20;

    /// <summary>
    /// Files that the kernel has forgotten and that are remembered for what of them is not synced (default 16,384). Of more, some are synced; at twice
    /// as many writers wait.
    /// </summary>
    public int ForgottenMax { get; init; } = 16_384;

    /// <summary>How long written data wait at most before they go out (default 200 ms).</summary>
    public long DirtyNanosecondsMax { get; init; } = 200_000_000;

    /// <summary>The largest piece that is written at once (default 1 MiB).</summary>
    public int ExtentBytesMax { get; init; } = 1 << 20;

    /// <summary>How the kernel shall treat open files (default: keep their pages, which a recall drops; several direct writers at once).</summary>
    public FopenFlags OpenFlags { get; init; } = FopenFlags.KeepCache | FopenFlags.ParallelDirectWrites;

    /// <summary>The longest that the kernel may use a name, however long the lease on it lasts (default: as long as that).</summary>
    public long EntryNanosecondsMax { get; init; } = long.MaxValue;

    /// <summary>The longest that the kernel may use attributes, however long the lease on them lasts (default: as long as that).</summary>
    public long AttributeNanosecondsMax { get; init; } = long.MaxValue;

    /// <summary>The longest that the kernel may take a name for absent (default: as long as the lease lasts).</summary>
    public long NegativeNanosecondsMax { get; init; } = long.MaxValue;

    /// <summary>How long the first connection is tried (default 60 s).</summary>
    public long AttachNanoseconds { get; init; } = 60_000_000_000;

    /// <summary>How long the end of the session waits to be confirmed (default 2 s).</summary>
    public long DetachNanoseconds { get; init; } = 2_000_000_000;

    /// <summary>How long a request is tried before its caller gets EIO (default 60 s): longer than a change of the leader takes.</summary>
    public long RetryNanoseconds { get; init; } = 60_000_000_000;

    /// <summary>How long one call waits for its reply (default 40 s: a recall of somebody else's lease may lie in between).</summary>
    public long CallNanoseconds { get; init; } = 40_000_000_000;

    /// <summary>
    /// For so long after the metadata server was asked for what it has in memory, the loop looks for the answer instead of sleeping (default
    /// <see cref="ExpectedReply.NanosecondsDefault"/>).
    /// </summary>
    public long ExpectNanoseconds { get; init; } = ExpectedReply.NanosecondsDefault;

    /// <summary>How long to wait before a failed attempt is repeated (default 20 ms, doubled each time up to 1 s).</summary>
    public long BackoffNanoseconds { get; init; } = 20_000_000;

    /// <summary>How much of a session's time the client does without, per thousand (default 50): the bound on drift between the clocks.</summary>
    public int DriftPerMille { get; init; } = 50;

    /// <summary>Where it tells of what happens (default nowhere).</summary>
    public INodeLog Log { get; init; } = NoLog.Instance;

    /// <summary>
    /// For how long the client's loop looks for more before it sleeps (default 0: at once). Requests do not wait for its thread to wake up, and of
    /// the replies of servers few come so soon after another.
    /// </summary>
    public long SpinNanoseconds { get; init; }

    /// <summary>
    /// Mutations from the first that has no answer on (default 2048). The server remembers the outcomes of all of them, since an acknowledgement is
    /// one number, and refuses what goes beyond 4096.
    /// </summary>
    public int MutationsMax { get; init; } = 2048;
}
