using Harness.Cluster.Net;
using Harness.Cluster.Wire;
using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;
using Harness.Runtime;
using Mono.Unix.Native;
using Attributes = Harness.Cluster.Wire.Attributes;

namespace Harness.Cluster.Client;

/// <summary>
/// The client of a cluster as its loop sees it: a file system whose metadata lie with the metadata server, whose data lie with chunk servers,
/// and which caches only under leases. <see cref="ClusterFileSystem"/> brings the kernel's requests here.
/// </summary>
/// <remarks>
/// Every access to a file's data or to attributes that may be cached works under that file's lease: <see cref="Use"/> gets it,
/// <see cref="Done"/> lets it go. A recall waits for those, writes what is dirty, and has the kernel drop what it cached.
/// </remarks>
internal sealed partial class ClusterClient : ISessionOwner
{
    private const ulong Generation = 1;

    private readonly ILoop _loop;
    private readonly ClusterClientOptions _options;
    private readonly MetadataSession _session;
    private readonly IChunkData _data;
    private readonly SortedDictionary<ulong, ClientNode> _nodes = [];
    private readonly KernelCache _kernel;
    private readonly GatheredMutations<AllocateChunks> _allocations;
    private readonly GatheredMutations<Wrote> _reports;
    private bool _writebackCache;
    private volatile bool _hearsCloses;

    /// <summary>A client that has no session yet.</summary>
    /// <param name="loop">Everything happens here.</param>
    /// <param name="network">The way to the metadata servers.</param>
    /// <param name="data">The way to chunk servers.</param>
    /// <param name="options">How it behaves.</param>
    /// <param name="kernelLoop">Another loop, on which to wait for the kernel, which may wait for this one.</param>
    /// <param name="pool">Memory for messages.</param>
    public ClusterClient(ILoop loop, INetwork network, IChunkData data, ClusterClientOptions options, ILoop kernelLoop, PayloadPool pool)
    {
        (_loop, _data, _options) = (loop, data, options);
        _session = new MetadataSession(loop, network, options, this, pool);
        _kernel = new KernelCache(loop, kernelLoop);
        _allocations = new GatheredMutations<AllocateChunks>(loop, _session, PackAllocations, reply => _data.Learn(reply.Servers));
        _reports = new GatheredMutations<Wrote>(loop, _session, PackReports);
        if (data is ClusterChunkData chunks)
        {
            (chunks.Refreshing, chunks.Session) = (Refresh, () => _session.Id);
        }
    }

    /// <summary>Its session.</summary>
    public MetadataSession Session => _session;

    /// <summary>What the kernel has cached.</summary>
    public KernelCache Kernel => _kernel;

    /// <summary>
    /// Whether a close(2) may have something to tell or to do: once any file had locks, or a write of what was waiting has failed. Before that its
    /// FLUSH is answered on whatever thread it comes, which spares each small file a way to the loop and back. For any thread.
    /// </summary>
    public bool HearsCloses => _hearsCloses;

    /// <summary>Bytes that wait to be written.</summary>
    public long DirtyBytes => _dirtyBytes;

    /// <summary>Opens the session.</summary>
    public ValueTask<Errno> Open() => _session.Open();

    /// <summary>INIT has been agreed on.</summary>
    public void Start(NegotiatedInit init) => _writebackCache = init.Has(InitFlags.WritebackCache);

    /// <summary>Writes everything that is dirty, and ends the session.</summary>
    /// <returns>Why something of it could not be written.</returns>
    public async ValueTask<Errno> Stop()
    {
        ClientNode[] dirty = [.. _nodes.Values.Where(static node => node.IsDirty || node.Flushing is not null)];
        await Task.WhenAll(dirty.Select(node => Flush(node).AsTask()));
        await _session.Stop();
        return dirty.Select(static node => node.Error).FirstOrDefault(static error => error != Errnos.Ok);
    }

    /// <inheritdoc/>
    public IEnumerable<Holding> Holdings =>
        from node in _nodes.Values
        where node.Lease != LeaseMode.None || node.Opens > 0
        select new Holding { Inode = node.Inode, Mode = node.Lease, Open = node.Opens > 0 };

    /// <summary>Lookup counts fall; an inode that nobody needs is forgotten, and its lease given back.</summary>
    public void Forget(NodeId id, ulong lookups)
    {
        if (_nodes.TryGetValue(id.Value, out ClientNode? node))
        {
            node.Lookups -= Math.Min(lookups, node.Lookups);
            if (node.Lookups == 0)
            {
                // An open file keeps its inode in the kernel: that its RELEASE is still to come only means that another thread has read it.
                node.Opens = 0;
                if (node.IsDirty)
                {
                    FlushSoon(node).Watch();
                }
            }

            DropIfUnused(node);
        }
    }

    private Result<EntryOut> Entry(MetadataReply reply)
    {
        if (reply.Errno != 0)
        {
            return (Errno)reply.Errno;
        }

        ClientNode node = Note(reply.Attributes, reply.Lease);
        node.Lookups++;
        return EntryOf(node, reply.ParentLease);
    }

    private EntryOut EntryOf(ClientNode node, bool nameIsHeld)
    {
        AttrOut attributes = AttrOf(node);
        (ulong seconds, uint nanoseconds) = Validity(nameIsHeld, _options.EntryNanosecondsMax);
        return new EntryOut
        {
            Nodeid = node.Inode,
            Generation = Generation,
            EntryValid = seconds,
            EntryValidNsec = nanoseconds,
            AttrValid = attributes.AttrValid,
            AttrValidNsec = attributes.AttrValidNsec,
            Attr = attributes.Attr,
        };
    }

    private AttrOut AttrOf(ClientNode node)
    {
        // What a recall is about to take, the kernel must not keep.
        (ulong seconds, uint nanoseconds) = Validity(
            node.Lease != LeaseMode.None && !node.IsBeingRecalled && !node.IsStale, _options.AttributeNanosecondsMax);
        Attr attributes = node.Attributes.ToAttr();
        attributes.Blocks = BlocksOf(node);
        return new AttrOut { AttrValid = seconds, AttrValidNsec = nanoseconds, Attr = attributes };
    }

    /// <summary>
    /// The space of a file, and what waits here besides; one block at least, if something was written that the server has not counted yet: a file with
    /// no block at all is one hole to those that copy it, as <c>tar --sparse</c> (tar, sparse.c), and the kernel keeps the number.
    /// </summary>
    private static ulong BlocksOf(ClientNode node)
    {
        const int BlockShift = 9;
        Attributes all = node.Attributes;
        bool isCounted = (node.Dirty & (DirtyAttributes.Size | DirtyAttributes.Mtime)) == 0 && node.Extents.IsEmpty && node.Flushing is null;
        return isCounted || !all.IsFile()
            ? all.Blocks
            : Math.Max(all.Blocks, Math.Min(InPages(all.Size), all.Blocks + InPages((ulong)Math.Max(1, node.Extents.Bytes))));

        static ulong InPages(ulong bytes) => (bytes + PageBytes - 1) / PageBytes * (PageBytes >> BlockShift);
    }

    private (ulong Seconds, uint Nanoseconds) Validity(bool isHeld, long nanosecondsMax)
    {
        long nanoseconds = isHeld ? Math.Min(_session.ValidNanoseconds, nanosecondsMax) : 0;
        return ((ulong)(nanoseconds / 1_000_000_000), (uint)(nanoseconds % 1_000_000_000));
    }

    /// <summary>Takes in what a reply says about an inode.</summary>
    private ClientNode Note(Attributes attributes, LeaseMode lease)
    {
        if (!_nodes.TryGetValue(attributes.Inode, out ClientNode? node))
        {
            node = Add(attributes.Inode);
        }

        // Under a Write lease this client knows better, but for what others may change all the same, and what it has just asked for.
        if (node.Dirty == DirtyAttributes.None && node.Extents.IsEmpty && node.Flushing is null)
        {
            node.Attributes = attributes;
        }
        else
        {
            (node.Attributes.Nlink, node.Attributes.Xattrs) = (attributes.Nlink, attributes.Xattrs);
            node.Attributes.Ctime = Math.Max(node.Attributes.Ctime, attributes.Ctime);
        }

        if (!node.IsBeingRecalled && lease > node.Lease)
        {
            node.Lease = lease;
        }

        node.IsStale &= lease == LeaseMode.None;
        if (_knownNames.TryGetValue(node.Inode, out KnownNames? names))
        {
            names.Set(node.IsStale || lease == LeaseMode.None ? null : new KnownAttributes(node.Attributes.ToAttr()));
        }

        return node;
    }

    private ClientNode FindOrAdd(ulong inode) => _nodes.TryGetValue(inode, out ClientNode? node) ? node : Add(inode);

    private void DropIfUnused(ClientNode node)
    {
        if (node.IsUnused && node.Inode != NodeId.Root.Value && _nodes.Remove(node.Inode))
        {
            ForgetNames(node.Inode);
            _withoutXattrs.TryRemove(node.Inode, out _);
            _dirty.Remove(node);
            if (node.TellWhenForgotten)
            {
                TellClosed(node.Inode);
            }

            if (node.Lease != LeaseMode.None)
            {
                GiveBack(node.Inode);
            }

            Remember(node);
        }
    }

    private long Now => Metadata.Clock.UnixNanoseconds(_loop.Time);
}
