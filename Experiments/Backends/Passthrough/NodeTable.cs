using System.Collections.Concurrent;
using Harness.Experiments.Keeping;
using Harness.FuseProtocol;
using Harness.Runtime.Native;
using Mono.Unix.Native;

namespace Harness.Experiments.Backends.Passthrough;

/// <summary>
/// The files that the kernel knows, by node id and by what they are on the host, so that all names of a file lead to one node. A node's
/// descriptor is closed when its last lookup has been forgotten; the root's never is.
/// </summary>
/// <remarks>
/// Thread-safe. A node is found and its lookup counted under the same lock under which forgetting takes it out, and a file's descriptor is
/// open before its number is compared: so a node that is found is the file that was looked up, and it stays.
/// </remarks>
internal sealed class NodeTable
{
    private readonly Lock _gate = new();
    private readonly Dictionary<NodeKey, Node> _byKey = [];
    private readonly ConcurrentDictionary<ulong, Node> _byId = new();
    private readonly int _nodesMax;
    private readonly KeptDescriptors? _kept;
    private ulong _lastId = NodeId.Root.Value;

    /// <summary>A table that knows the root alone.</summary>
    /// <param name="root">The root's descriptor, taken over.</param>
    /// <param name="status">What it is.</param>
    /// <param name="nodesMax">Most nodes at a time; more would take the descriptors that open files need.</param>
    public NodeTable(int root, in FileStatus status, int nodesMax)
    {
        Root = new Node(_lastId, root, NodeKey.Of(in status), status.Mode);
        _nodesMax = nodesMax;
        Insert(Root);
    }

    /// <summary>A table that knows what the process before this one knew, the root among it, and has its own nodes survive too.</summary>
    /// <param name="kept">Where nodes are kept.</param>
    /// <param name="inherited">The kept nodes.</param>
    /// <param name="nodesMax">As above.</param>
    public NodeTable(KeptDescriptors kept, IEnumerable<KeptDescriptor> inherited, int nodesMax)
    {
        _nodesMax = nodesMax;
        _kept = kept;
        _lastId = kept.LastNodeId;
        foreach (KeptDescriptor each in inherited)
        {
            // Where that fails (a network file system's) the node is one whose names lead to another from now on.
            _ = Libc.Statx(each.Fd, "\0"u8, FileFlags.AtEmptyPath, FileStatus.All, out FileStatus status);
            var node = new Node(each.Record.Id, each.Fd, NodeKey.Of(in status), status.Mode);
            node.Inherit(kept, in each);
            Insert(node);
        }

        Root = _byId[NodeId.Root.Value];
    }

    /// <summary>The root of the mount.</summary>
    public Node Root { get; }

    /// <summary>All nodes that the kernel knows.</summary>
    public IEnumerable<Node> All => _byId.Values;

    /// <summary>Nodes that the kernel knows.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _byKey.Count;
            }
        }
    }

    /// <summary>The node of this id; null if the kernel was never told of it or has forgotten it.</summary>
    public Node? Find(NodeId id) => _byId.TryGetValue(id.Value, out Node? node) ? node : null;

    /// <summary>Counts a lookup of a file, and makes it a node if it is none.</summary>
    /// <param name="fd">The file, opened by O_PATH; taken over.</param>
    /// <param name="status">What it is.</param>
    /// <returns>The node; ENFILE if there are too many.</returns>
    public Result<Node> Adopt(int fd, in FileStatus status)
    {
        var key = NodeKey.Of(in status);
        Result<Node> adopted;
        lock (_gate)
        {
            if (!_byKey.TryGetValue(key, out Node? known))
            {
                return Add(fd, key, status.Mode);
            }

            known.Lookups++;
            adopted = known;
        }

        _ = Libc.Close(fd);
        return adopted;
    }

    /// <summary>Counts one more lookup of a node.</summary>
    /// <returns>False if it was forgotten meanwhile.</returns>
    public bool TryCount(Node node)
    {
        lock (_gate)
        {
            bool isKnown = Find(new NodeId(node.Id)) == node;
            node.Lookups += isKnown ? 1u : 0u;
            return isKnown;
        }
    }

    /// <summary>Takes lookups back. More than there are count as all.</summary>
    public void Forget(NodeId id, ulong lookups)
    {
        lock (_gate)
        {
            if (!_byId.TryGetValue(id.Value, out Node? node))
            {
                return;
            }

            node.Lookups -= Math.Min(lookups, node.Lookups);
            if (node.Lookups > 0 || node == Root)
            {
                return;
            }

            if (_byKey.GetValueOrDefault(node.Key) == node)
            {
                _byKey.Remove(node.Key);
            }

            _byId.TryRemove(id.Value, out _);
            node.Forget();
        }
    }

    /// <summary>Forgets everything, the root too: the mount is gone.</summary>
    public void Clear()
    {
        lock (_gate)
        {
            foreach (Node node in _byId.Values)
            {
                node.Dispose();
            }

            _byKey.Clear();
            _byId.Clear();
        }
    }

    private Result<Node> Add(int fd, NodeKey key, uint mode)
    {
        ulong id = ++_lastId;
        if (_kept is not null)
        {
            _kept.LastNodeId = id;
        }

        var node = new Node(id, fd, key, mode) { Lookups = 1 };
        if (_byKey.Count >= _nodesMax || (_kept is not null && !node.TryKeep(_kept)))
        {
            node.Dispose();
            return Errno.ENFILE;
        }

        Insert(node);
        return node;
    }

    private void Insert(Node node)
    {
        _byKey.TryAdd(node.Key, node);
        _byId[node.Id] = node;
    }
}
