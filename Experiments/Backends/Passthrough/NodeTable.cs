using System.Collections.Concurrent;
using Harness.Experiments.Keeping;
using Harness.FuseProtocol;
using Harness.Runtime.Native;
using Mono.Unix.Native;

namespace Harness.Experiments.Backends.Passthrough;

/// <summary>
/// The files that the kernel knows, by node id and by what they are on the host, so that all names of a file lead to one node. What a node keeps
/// is let go when its last lookup has been forgotten; the root stays.
/// </summary>
/// <remarks>
/// <para>
/// Thread-safe. A node is found and its lookup counted under the same lock under which forgetting takes it out, and a file is open before its
/// number is compared: so a node that is found is the file that was looked up, and it stays.
/// </para>
/// <para>
/// Nodes are kept open while there are descriptors to spare. Beyond that a node is only remembered by its file handle and opened when it is
/// used, which costs two system calls more: a walk through a million files is slow then, but goes on.
/// </para>
/// </remarks>
internal sealed class NodeTable
{
    private readonly Lock _gate = new();
    private readonly Dictionary<NodeKey, Node> _byKey = [];
    private readonly ConcurrentDictionary<ulong, Node> _byId = new();
    private readonly FileDescriptor _mount;
    private readonly int _openMax;
    private readonly bool _useHandles;
    private readonly KeptDescriptors? _kept;
    private ulong _lastId = NodeId.Root.Value;
    private int _open = 1;

    /// <summary>A table that knows the root alone.</summary>
    /// <param name="mount">The root, open for reading; borrowed.</param>
    /// <param name="openMax">Most nodes that are kept open.</param>
    /// <param name="useHandles">Whether further nodes may be remembered by handle, where that is possible.</param>
    public NodeTable(FileDescriptor mount, int openMax, bool useHandles)
    {
        _mount = mount;
        _openMax = openMax;
        int fd = ServedDirectory.OpenPath(mount, out FileStatus status);
        Root = new Node(_lastId, NodeKey.Of(in status), status.Mode) { Descriptor = new FileDescriptor(fd) };
        _useHandles = useHandles && CanOpenHandles(fd);
        Insert(Root);
    }

    /// <summary>A table that knows what the process before this one knew, and has its own nodes survive too.</summary>
    /// <param name="mount">As above.</param>
    /// <param name="openMax">As above.</param>
    /// <param name="useHandles">As above.</param>
    /// <param name="kept">Where nodes are kept.</param>
    /// <param name="inherited">The kept nodes, the root among them; taken over.</param>
    public NodeTable(FileDescriptor mount, int openMax, bool useHandles, KeptDescriptors kept, IEnumerable<KeptDescriptor> inherited)
        : this(mount, openMax, useHandles)
    {
        _kept = kept;
        _lastId = kept.LastNodeId;
        foreach (KeptDescriptor each in inherited)
        {
            if (each.Record.Id == Root.Id)
            {
                Root.Inherit(kept, in each);
                _ = Libc.Close(each.Fd);
                continue;
            }

            var node = Node.From(in each, Root.Key.Device);
            node.Inherit(kept, in each);
            _open += node.Descriptor is null ? 0 : 1;
            Insert(node);
        }
    }

    /// <summary>The root of the mount.</summary>
    public Node Root { get; }

    /// <summary>All nodes that the kernel knows.</summary>
    public IEnumerable<Node> All => _byId.Values;

    /// <summary>Nodes that the kernel knows.</summary>
    public int Count => _byId.Count;

    /// <summary>A node that the kernel knows; null for none.</summary>
    public Node? Find(NodeId id) => _byId.GetValueOrDefault(id.Value);

    /// <summary>The file of a node.</summary>
    public NodeFile Open(NodeId id)
    {
        if (!_byId.TryGetValue(id.Value, out Node? node))
        {
            return new NodeFile(Errno.ESTALE);
        }

        if (node.Descriptor is { } descriptor)
        {
            return new NodeFile(node, descriptor);
        }

        int fd = node.Handle!.Open(_mount);
        return fd >= 0 ? new NodeFile(node, new FileDescriptor(fd), isOwn: true) : new NodeFile(PassthroughFileSystem.LastError);
    }

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
            adopted = Find(fd, key) ?? Remember(fd, key, status.Mode);
            if (adopted.IsOk)
            {
                Node node = adopted.Value;
                node.Lookups++;
                if (node.Descriptor is null && _open < _openMax)
                {
                    node.Descriptor = new FileDescriptor(fd);
                    _open++;
                    fd = -1;
                }

                if (_kept is not null && !node.TryKeep(_kept))
                {
                    Remove(node);
                    adopted = Errno.ENFILE;
                }
            }
        }

        if (fd >= 0)
        {
            _ = Libc.Close(fd);
        }

        return adopted;
    }

    /// <summary>Counts one more lookup of a node.</summary>
    /// <returns>False if it was forgotten meanwhile.</returns>
    public bool TryCount(Node node)
    {
        lock (_gate)
        {
            bool isKnown = _byId.ContainsKey(node.Id);
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
            if (node.Lookups == 0 && node != Root)
            {
                Remove(node);
            }
        }
    }

    /// <summary>Forgets everything, the root too: the mount is gone.</summary>
    public void Clear()
    {
        lock (_gate)
        {
            foreach (Node node in _byId.Values)
            {
                node.Descriptor?.Dispose();
            }

            _byKey.Clear();
            _byId.Clear();
        }
    }

    /// <summary>Whether this process may open files by handle, which without root it may not, and whether there are handles.</summary>
    private bool CanOpenHandles(int root)
    {
        int fd = FileHandle.Of(root)?.Open(_mount) ?? -1;
        return fd >= 0 && Libc.Close(fd) == 0;
    }

    /// <summary>The node that this file is, if it is one.</summary>
    private Node? Find(int fd, NodeKey key)
    {
        if (!_byKey.TryGetValue(key, out Node? known) || known.Descriptor is not null || FileHandle.Of(fd)?.Names(known.Handle!) == true)
        {
            return known;
        }

        // The node's file is gone, and its inode number has been given to another. The node stays, as one whose file is gone.
        _byKey.Remove(key);
        return null;
    }

    private Result<Node> Remember(int fd, NodeKey key, uint mode)
    {
        FileHandle? handle = null;
        if (_open >= _openMax)
        {
            handle = _useHandles && key.Device == Root.Key.Device ? FileHandle.Of(fd) : null;
            if (handle is null)
            {
                return Errno.ENFILE;
            }
        }

        ulong id = ++_lastId;
        if (_kept is not null)
        {
            _kept.LastNodeId = id;
        }

        var node = new Node(id, key, mode) { Handle = handle };
        Insert(node);
        return node;
    }

    private void Insert(Node node)
    {
        // Of two nodes that were inherited with one number the later is the file, and the other one whose file is gone.
        if (!_byKey.TryGetValue(node.Key, out Node? known) || known.Id < node.Id)
        {
            _byKey[node.Key] = node;
        }

        _byId[node.Id] = node;
    }

    private void Remove(Node node)
    {
        _byId.TryRemove(node.Id, out _);
        if (_byKey.GetValueOrDefault(node.Key) == node)
        {
            _byKey.Remove(node.Key);
        }

        _open -= node.Descriptor is null ? 0 : 1;
        node.Forget();
    }
}
