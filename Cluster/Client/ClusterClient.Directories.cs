using Harness.Cluster.Wire;
using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;
using Mono.Unix.Native;

namespace Harness.Cluster.Client;

/// <content>Listing directories.</content>
internal sealed partial class ClusterClient
{
    private const ulong DotCookie = 1;
    private const ulong DotDotCookie = 2;

    /// <summary>Names of one reply: some buffers of READDIR full.</summary>
    private const uint ListedAtOnce = 512;

    private readonly Dictionary<ulong, Listing> _listings = [];

    public async ValueTask<Result<OpenOut>> Opendir(NodeId id)
    {
        Result<ClientNode> node = await Known(id.Value);
        if (!node.IsOk)
        {
            return node.Error;
        }

        if (!node.Value.Attributes.IsDirectory())
        {
            return Errno.ENOTDIR;
        }

        ulong fh = ++_lastFh;
        _listings[fh] = new Listing(id.Value);
        return new OpenOut { Fh = fh };
    }

    public void Releasedir(ulong fh)
    {
        if (_listings.Remove(fh, out Listing? listing))
        {
            Unpin(listing);
        }
    }

    public async ValueTask<Errno> Fsyncdir() => (Errno)(await _session.Call(new MetadataRequest { Sync = new Empty() })).Errno;

    public async ValueTask<Result<int>> Readdir(NodeId id, ReadIn arg, Memory<byte> buffer, bool plus)
    {
        if (!_listings.TryGetValue(arg.Fh, out Listing? listing))
        {
            return Errno.EBADF;
        }

        if (arg.Offset == 0)
        {
            listing.End = 0;
        }

        Errno error = await Fetch(id.Value, listing, Math.Max(arg.Offset, DotDotCookie), plus, isFresh: arg.Offset == 0);
        if (error != Errnos.Ok)
        {
            return error;
        }

        int length = 0;
        bool complete = AddDots(id.Value, listing, arg.Offset, buffer, plus, ref length);
        while (complete)
        {
            complete = AddNames(listing, arg.Offset, buffer, plus, ref length);
            if (!complete || listing.IsLast || length > 0)
            {
                break;
            }

            error = await Fetch(id.Value, listing, listing.NextCookie, plus, isFresh: true);
            if (error != Errnos.Ok)
            {
                return error;
            }
        }

        return complete || length > 0 ? length : Errno.EINVAL;
    }

    /// <summary>Asks for names behind a cookie, unless they are here.</summary>
    private async ValueTask<Errno> Fetch(ulong directory, Listing listing, ulong cookie, bool plus, bool isFresh)
    {
        bool isHere = !isFresh && listing.Plus == plus && cookie >= listing.FirstCookie && (cookie < listing.NextCookie || listing.IsLast);
        if (isHere)
        {
            return Errnos.Ok;
        }

        var list = new ListNames { Directory = directory, Cookie = cookie, End = listing.End, Count = ListedAtOnce, Attributes = plus };
        MetadataReply reply = await _session.Call(new MetadataRequest { ListNames = list });
        if (reply.Errno != 0)
        {
            return (Errno)reply.Errno;
        }

        Unpin(listing);
        listing.Names = [.. reply.Names];

        // A lease begins with the reply that gives it: a recall that comes before the name is handed out must find it.
        foreach (ListedName name in reply.Names.Where(static name => name.Attributes is not null))
        {
            ClientNode node = Note(name.Attributes, name.Lease);
            node.Lookups++;
            listing.Pinned.Add(node);
        }

        (listing.End, listing.Parent, listing.Plus, listing.NamesAreHeld) = (reply.End, reply.ListedParent, plus, reply.ParentLease);
        (listing.FirstCookie, listing.IsLast) = (cookie, reply.Names.Count < ListedAtOnce);
        listing.NextCookie = reply.Names.Count > 0 ? reply.Names[^1].Cookie : cookie;
        return Errnos.Ok;
    }

    /// <summary>The names of a directory have changed: those that were asked for are asked for again.</summary>
    private void ForgetListed(ulong directory)
    {
        foreach (Listing listing in _listings.Values)
        {
            listing.FirstCookie = listing.Directory == directory ? ulong.MaxValue : listing.FirstCookie;
        }
    }

    private void Unpin(Listing listing)
    {
        foreach (ClientNode node in listing.Pinned)
        {
            node.Lookups--;
            DropIfUnused(node);
        }

        listing.Pinned.Clear();
    }

    /// <summary>Adds <c>.</c> and <c>..</c>, in READDIRPLUS without a node id: they are not looked up.</summary>
    private static bool AddDots(ulong directory, Listing listing, ulong offset, Memory<byte> buffer, bool plus, ref int length) =>
        (offset >= DotCookie || AddDot(buffer, "."u8, directory, DotCookie, plus, ref length)) &&
        (offset >= DotDotCookie || AddDot(buffer, ".."u8, listing.Parent, DotDotCookie, plus, ref length));

    private static bool AddDot(Memory<byte> buffer, ReadOnlySpan<byte> name, ulong inode, ulong cookie, bool plus, ref int length)
    {
        var writer = new DirentWriter(buffer.Span[length..]);
        var entry = new EntryOut { Attr = new Attr { Ino = inode, Mode = (uint)FilePermissions.S_IFDIR } };
        bool added = plus ? writer.TryAddPlus(name, in entry, cookie) : writer.TryAdd(name, inode, (uint)FilePermissions.S_IFDIR, cookie);
        length += writer.Length;
        return added;
    }

    /// <summary>Adds the names behind a cookie that are here.</summary>
    /// <returns>False if one did not fit.</returns>
    private bool AddNames(Listing listing, ulong offset, Memory<byte> buffer, bool plus, ref int length)
    {
        var writer = new DirentWriter(buffer.Span[length..]);
        bool complete = true;
        foreach (ListedName name in listing.Names)
        {
            if (name.Cookie <= offset)
            {
                continue;
            }

            complete = plus ? AddPlus(ref writer, listing, name) : writer.TryAdd(name.Name.Span, name.Inode, name.Type, name.Cookie);
            if (!complete)
            {
                break;
            }
        }

        length += writer.Length;
        return complete;
    }

    private bool AddPlus(ref DirentWriter writer, Listing listing, ListedName name)
    {
        // Where the attributes are not known, the kernel is told the name alone (node id 0), and looks it up when it needs to.
        var entry = new EntryOut { Attr = new Attr { Ino = name.Inode, Mode = name.Type } };
        ClientNode? node = name.Attributes is null ? null : _nodes.GetValueOrDefault(name.Inode);
        if (node is { Lease: not LeaseMode.None, IsStale: false })
        {
            entry = EntryOf(node, listing.NamesAreHeld);
        }
        else
        {
            node = null;
        }

        bool added = writer.TryAddPlus(name.Name.Span, in entry, name.Cookie);
        if (added && node is not null)
        {
            node.Lookups++;
        }

        return added;
    }

    /// <summary>An open directory. It lists what was there when it was opened or rewound, so that it ends even if names are added without end.</summary>
    private sealed class Listing(ulong directory)
    {
        /// <summary>Of what.</summary>
        public ulong Directory { get; } = directory;

        /// <summary>Whether the kernel may remember the names.</summary>
        public bool NamesAreHeld { get; set; }

        /// <summary>The first cookie that no longer belongs to it.</summary>
        public ulong End { get; set; }

        /// <summary>Names that were asked for and maybe not yet handed out.</summary>
        public ListedName[] Names { get; set; } = [];

        /// <summary>Nodes of theirs that stay known until the names are no longer here: each has one lookup more.</summary>
        public List<ClientNode> Pinned { get; } = [];

        /// <summary>The cookie behind which they begin.</summary>
        public ulong FirstCookie { get; set; } = ulong.MaxValue;

        /// <summary>The cookie of the last of them.</summary>
        public ulong NextCookie { get; set; }

        /// <summary>Whether nothing comes behind them.</summary>
        public bool IsLast { get; set; }

        /// <summary>Whether they have attributes.</summary>
        public bool Plus { get; set; }

        /// <summary>The directory above.</summary>
        public ulong Parent { get; set; }
    }
}
