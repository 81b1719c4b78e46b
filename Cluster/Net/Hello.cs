using System.Runtime.InteropServices;

namespace Harness.Cluster.Net;

/// <summary>What a node is.</summary>
internal enum NodeRole : uint
{
    /// <summary>Not said.</summary>
    None = 0,

    /// <summary>A metadata server.</summary>
    Metadata = 1,

    /// <summary>A chunk server.</summary>
    Chunks = 2,

    /// <summary>A client.</summary>
    Client = 3,
}

/// <summary>The first frame that each side of a connection sends (kind <see cref="Kind"/>): who it is, and that both mean the same cluster.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct Hello
{
    /// <summary>The frame's kind.</summary>
    public const ushort Kind = 1;

    /// <summary>The version of the protocol that this code speaks.</summary>
    public const uint CurrentProtocol = 2;

    /// <summary>The protocol's version; another one is refused.</summary>
    public uint Protocol;

    /// <summary>What the sender is.</summary>
    public NodeRole Role;

    /// <summary>The cluster's id, both words 0 if the sender does not know it yet; another cluster is refused.</summary>
    public ulong ClusterHigh;

    /// <summary>The other half.</summary>
    public ulong ClusterLow;

    /// <summary>The sender's id within its role.</summary>
    public ulong NodeId;

    /// <summary>Which of its lives it is in; a restart begins a new one.</summary>
    public ulong Incarnation;

    /// <summary>Who speaks, in the protocol's current version.</summary>
    public static Hello Of(NodeRole role, ulong nodeId, ulong incarnation, ulong clusterHigh = 0, ulong clusterLow = 0) => new()
    {
        Protocol = CurrentProtocol,
        Role = role,
        NodeId = nodeId,
        Incarnation = incarnation,
        ClusterHigh = clusterHigh,
        ClusterLow = clusterLow,
    };

    /// <summary>Null if the two can talk, or why not.</summary>
    public readonly string? Refuse(in Hello other)
    {
        if (other.Protocol != Protocol)
        {
            return $"the peer speaks version {other.Protocol} of the protocol, this node version {Protocol}: run the same release on both";
        }

        bool known = (ClusterHigh | ClusterLow) != 0 && (other.ClusterHigh | other.ClusterLow) != 0;
        return known && (ClusterHigh != other.ClusterHigh || ClusterLow != other.ClusterLow)
            ? $"the peer belongs to cluster {other.ClusterHigh:x16}{other.ClusterLow:x16}, this node to {ClusterHigh:x16}{ClusterLow:x16}: check the addresses"
            : null;
    }
}
