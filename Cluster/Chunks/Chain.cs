using System.Globalization;
using System.Text;
using Harness.Cluster.Net;

namespace Harness.Cluster.Chunks;

/// <summary>A member of a chain.</summary>
/// <param name="Server">The chunk server's id.</param>
/// <param name="Address">Where it listens.</param>
internal readonly record struct ChainMember(ulong Server, NodeAddress Address);

/// <summary>A chunk's replicas in the order in which writes pass them, head first, in one version.</summary>
/// <param name="Version">The version; each change of the members has its own.</param>
/// <param name="Members">The members.</param>
/// <param name="TailJoins">Whether the last member is still catching up: it gets all writes and answers no reads.</param>
internal sealed record Chain(ulong Version, IReadOnlyList<ChainMember> Members, bool TailJoins = false)
{
    private const string JoiningMark = "+joining";

    /// <summary>The member that clients send mutations to.</summary>
    public ChainMember Head => Members[0];

    /// <summary>Who has each write last, also while it joins.</summary>
    public ChainMember Tail => Members[^1];

    /// <summary>The members that answer reads.</summary>
    public int Readers => Members.Count - (TailJoins ? 1 : 0);

    /// <summary>
    /// The place of the member that is asked first for some bytes: another one for neighbouring megabytes, and always the same one for the same
    /// bytes, which has them in its cache.
    /// </summary>
    public int ReaderOf(ChunkId chunk, long offset) => (int)((chunk.Value + ((ulong)offset >> 20)) % (ulong)Readers);

    /// <summary>A server's place, or −1.</summary>
    public int PositionOf(ulong server)
    {
        for (int i = 0; i < Members.Count; i++)
        {
            if (Members[i].Server == server)
            {
                return i;
            }
        }

        return -1;
    }

    /// <summary>The members as text, a line <c>id host:port</c> for each, for a frame's payload.</summary>
    public byte[] ToPayload() => Encoding.UTF8.GetBytes(
        string.Join('\n', Members.Select(member => $"{member.Server} {member.Address}")) + (TailJoins ? "\n" + JoiningMark : string.Empty));

    /// <summary>Reads what <see cref="ToPayload"/> has written; null if it is nothing of the kind.</summary>
    public static Chain? TryRead(ulong version, ReadOnlySpan<byte> payload)
    {
        string[] lines = Encoding.UTF8.GetString(payload).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        bool joins = lines.Length > 0 && lines[^1] == JoiningMark;
        var members = new List<ChainMember>();
        foreach (string line in joins ? lines[..^1] : lines)
        {
            string[] parts = line.Split(' ');
            if (parts.Length != 2 || !ulong.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out ulong server) ||
                !NodeAddress.TryParse(parts[1], out NodeAddress address))
            {
                return null;
            }

            members.Add(new ChainMember(server, address));
        }

        return members.Count > 0 ? new Chain(version, members, joins) : null;
    }
}
