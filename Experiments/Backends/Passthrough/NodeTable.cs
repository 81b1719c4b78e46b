using System.Collections.Concurrent;
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

    /// <summary>The root of the mount.</summary>
    public Node Root { get; }

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
            if (_byKey.TryGetValue(key, out Node? known))
            {
                known.Lookups++;
                adopted = known;
            }
            else if (_byKey.Count < _nodesMax)
            {
                var node = new Node(++_lastId, fd, key, status.Mode) { Lookups = 1 };
                Insert(node);
                return node;
            }
            else
            {
                adopted = Errno.ENFILE;
            }
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

            _byKey.Remove(node.Key);
            _byId.TryRemove(id.Value, out _);
            node.Dispose();
        }
    }

    /// <summary>Forgets everything, the root too: the mount is gone.</summary>
    public void Clear()
    {
        lock (_gate)
        {
            foreach (Node node in _byKey.Values)
            {
                node.Dispose();
            }

            _byKey.Clear();
            _byId.Clear();
        }
    }

    private void Insert(Node node)
    {
        _byKey.Add(node.Key, node);
        _byId[node.Id] = node;
    }
}
