using System.Collections.Concurrent;
using Google.Protobuf;
using Harness.Cluster.Wire;
using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;
using Mono.Unix.Native;
using Attributes = Harness.Cluster.Wire.Attributes;

namespace Harness.Cluster.Client;

/// <content>Names.</content>
internal sealed partial class ClusterClient
{
    private readonly ConcurrentDictionary<ulong, KnownNames> _knownNames = new();

    public async ValueTask<Result<EntryOut>> Lookup(NodeId parent, ReadOnlyMemory<byte> name)
    {
        MetadataReply reply = await _session.Call(new MetadataRequest { LookUp = new LookUp { Parent = parent.Value, Name = ByteString.CopyFrom(name.Span) } });
        if ((Errno)reply.Errno == Errno.ENOENT && reply.ParentLease && _options.NegativeEntries && _session.ValidNanoseconds > 0)
        {
            // The kernel may remember that the name is absent for as long as the server promises to say otherwise.
            ClientNode directory = FindOrAdd(parent.Value);
            directory.IsStale |= directory.Lease == LeaseMode.None;
            directory.Lease = LeaseMode.Read;
            return Absent(_session.ValidNanoseconds);
        }

        return Entry(reply);
    }

    /// <summary>
    /// Whether a name is certainly absent: all names of its directory are known, under a lease, and it is none of them. For any thread, so that
    /// who asks is answered without a way to the loop and back.
    /// </summary>
    public bool TryFindAbsent(NodeId parent, ReadOnlySpan<byte> name, out Result<EntryOut> absent)
    {
        absent = Errno.ENOENT;
        if (!_knownNames.TryGetValue(parent.Value, out KnownNames? names) || name.Length > Metadata.MetadataLimits.NameBytesMax ||
            name.SequenceEqual("."u8) || name.SequenceEqual(".."u8) || !names.IsAbsent(ByteString.CopyFrom(name)))
        {
            return false;
        }

        // Looked at afterwards: while the session holds, nobody else's change has gone past this client.
        long valid = _session.ValidNanosecondsOf(names.Session);
        absent = Absent(valid);
        return valid > 0;
    }

    private Result<EntryOut> Absent(long validNanoseconds)
    {
        if (!_options.NegativeEntries)
        {
            return Errno.ENOENT;
        }

        long nanoseconds = Math.Min(validNanoseconds, _options.NegativeNanosecondsMax);
        return new EntryOut { EntryValid = (ulong)(nanoseconds / 1_000_000_000), EntryValidNsec = (uint)(nanoseconds % 1_000_000_000) };
    }

    /// <summary>A name may exist from now on; to be called before what makes it is asked for, or allowed to somebody else.</summary>
    private void AddName(ulong directory, ByteString name)
    {
        if (!name.IsEmpty && _knownNames.TryGetValue(directory, out KnownNames? names))
        {
            names.Add(name);
        }
    }

    private void ForgetNames(ulong directory)
    {
        if (_knownNames.TryRemove(directory, out KnownNames? names))
        {
            names.End();
        }
    }

    public ValueTask<Result<EntryOut>> Mknod(RequestContext context, NodeId parent, ReadOnlyMemory<byte> name, MknodIn arg) =>
        Make(MakeOf(context, parent, name.Span, arg.Mode & (uint)(FilePermissions.S_IFMT | FilePermissions.ALLPERMS), arg.Umask, arg.Rdev));

    public ValueTask<Result<EntryOut>> Mkdir(RequestContext context, NodeId parent, ReadOnlyMemory<byte> name, MkdirIn arg) =>
        Make(MakeOf(context, parent, name.Span, (uint)FilePermissions.S_IFDIR | (arg.Mode & (uint)FilePermissions.ALLPERMS), arg.Umask, 0));

    public ValueTask<Result<EntryOut>> Symlink(RequestContext context, NodeId parent, ReadOnlyMemory<byte> name, ReadOnlyMemory<byte> target)
    {
        Make make = MakeOf(context, parent, name.Span, (uint)(FilePermissions.S_IFLNK | FilePermissions.ACCESSPERMS), 0, 0);
        make.Target = ByteString.CopyFrom(target.Span);
        return Make(make);
    }

    public async ValueTask<Result<CreateOut>> Create(RequestContext context, NodeId parent, ReadOnlyMemory<byte> name, CreateIn arg)
    {
        while (true)
        {
            Make make = MakeOf(context, parent, name.Span, (uint)FilePermissions.S_IFREG | (arg.Mode & (uint)FilePermissions.ALLPERMS), arg.Umask, 0);
            make.Hold = true;
            AddName(parent.Value, make.Name);
            MetadataReply reply = await _session.Mutate(new Command { Make = make });
            Named(reply, parent.Value);
            if ((Errno)reply.Errno != Errno.EEXIST || ((OpenFlags)arg.Flags & OpenFlags.O_EXCL) != 0)
            {
                Result<EntryOut> made = Entry(reply);
                if (!made.IsOk)
                {
                    return made.Error;
                }

                ClientNode node = _nodes[made.Value.Nodeid];
                node.NeedsMetadataSync = true;
                node.MadeAs = (parent.Value, make.Name.ToByteArray());
                if (reply.Lease == LeaseMode.Write && !reply.Attributes.Xattrs)
                {
                    _withoutXattrs[node.Inode] = _session.Id;
                }

                return new CreateOut { Entry = made.Value, Open = OpenNode(node) };
            }

            // Somebody has removed the name again if it is not found now; then it can be made after all.
            Result<EntryOut> entry = await Lookup(parent, name);
            if (entry.IsOk && entry.Value.Nodeid != 0)
            {
                return await OpenExisting(context, entry.Value, arg);
            }

            if (!entry.IsOk)
            {
                return entry.Error;
            }
        }
    }

    public async ValueTask<Result<CreateOut>> Tmpfile(RequestContext context, NodeId parent, CreateIn arg)
    {
        Make make = MakeOf(context, parent, default, (uint)FilePermissions.S_IFREG | (arg.Mode & (uint)FilePermissions.ALLPERMS), arg.Umask, 0);

        // With O_EXCL it is to stay without a name (open(2), O_TMPFILE).
        (make.Hold, make.Linkable) = (true, ((OpenFlags)arg.Flags & OpenFlags.O_EXCL) == 0);
        MetadataReply reply = await _session.Mutate(new Command { Make = make });
        Result<EntryOut> made = Entry(reply);
        if (!made.IsOk)
        {
            return made.Error;
        }

        ClientNode node = _nodes[made.Value.Nodeid];
        (node.TellWhenForgotten, node.NeedsMetadataSync) = (true, true);
        return new CreateOut { Entry = made.Value, Open = OpenNode(node) };
    }

    public async ValueTask<Result<EntryOut>> Link(NodeId node, NodeId newParent, ReadOnlyMemory<byte> newName)
    {
        var link = new Link { Inode = node.Value, Parent = newParent.Value, Name = ByteString.CopyFrom(newName.Span) };
        AddName(link.Parent, link.Name);
        MetadataReply reply = await _session.Mutate(new Command { Link = link });
        Named(reply, newParent.Value);
        return Entry(reply);
    }

    public ValueTask<Errno> Unlink(NodeId parent, ReadOnlyMemory<byte> name) => Remove(parent, name, directory: false);

    public ValueTask<Errno> Rmdir(NodeId parent, ReadOnlyMemory<byte> name) => Remove(parent, name, directory: true);

    public async ValueTask<Errno> Rename(
        RequestContext context, NodeId parent, ReadOnlyMemory<byte> name, NodeId newParent, ReadOnlyMemory<byte> newName, RenameFlags flags)
    {
        // Who writes a new file and renames it over the old one means to have either, after a crash too: the data go first.
        byte[] nameBytes = name.ToArray();
        ClientNode? written = _dirty.FirstOrDefault(node => node.MadeAs.Parent == parent.Value && node.MadeAs.Name.AsSpan().SequenceEqual(nameBytes));
        var rename = new Rename
        {
            Parent = parent.Value,
            Name = ByteString.CopyFrom(name.Span),
            NewParent = newParent.Value,
            NewName = ByteString.CopyFrom(newName.Span),
            Flags = (uint)flags,
            Uid = context.Uid,
            Gid = context.Gid,
        };
        if (written is not null)
        {
            await Flush(written);
        }

        AddName(rename.NewParent, rename.NewName);
        KnownNames? names = _knownNames.GetValueOrDefault(parent.Value);
        long additions = names?.Additions ?? 0;
        MetadataReply reply = await _session.Mutate(new Command { Rename = rename });
        if (reply.Errno == 0 && (flags & RenameFlags.Exchange) == 0)
        {
            LostName(reply.Outcome.Replaced);
        }

        if (reply.Errno == 0 && (flags & (RenameFlags.Exchange | RenameFlags.Whiteout)) == 0 && reply.Outcome.Moved != reply.Outcome.Replaced)
        {
            // Two names of one inode are left as they are: rename(2).
            names?.Remove(rename.Name, additions);
        }

        Named(reply, parent.Value, newParent.Value, reply.Errno == 0 ? reply.Outcome.Moved : 0);
        return (Errno)reply.Errno;
    }

    private async ValueTask<Errno> Remove(NodeId parent, ReadOnlyMemory<byte> name, bool directory)
    {
        var unlink = new Unlink { Parent = parent.Value, Name = ByteString.CopyFrom(name.Span), Directory = directory };
        KnownNames? names = _knownNames.GetValueOrDefault(parent.Value);
        long additions = names?.Additions ?? 0;
        MetadataReply reply = await _session.Mutate(new Command { Unlink = unlink });
        if (reply.Errno == 0)
        {
            LostName(reply.Outcome.Replaced);
            names?.Remove(unlink.Name, additions);
        }

        Named(reply, parent.Value);
        return (Errno)reply.Errno;
    }

    /// <summary>An inode has lost a name here. If it was the last one, the server keeps the inode until this client's kernel has forgotten it.</summary>
    private void LostName(ulong inode)
    {
        if (inode == 0)
        {
            return;
        }

        ClientNode? node = _nodes.GetValueOrDefault(inode);
        if (node is { Opens: 0 })
        {
            Discard(node);
        }

        if (node is { IsUnused: false })
        {
            node.TellWhenForgotten = true;
        }
        else
        {
            TellClosed(inode);
        }

        Touched(inode, 0, 0);
    }

    /// <summary>What was written to a file that nobody can open any more need not go anywhere.</summary>
    private void Discard(ClientNode node)
    {
        if (node is { Attributes.Nlink: <= 1, Flushing: null } && !node.Extents.IsEmpty)
        {
            ReleaseRoom(node.Extents.Bytes);
            node.Extents.Clear();
            node.Dirty = DirtyAttributes.None;
            _dirty.Remove(node);
        }
    }

    /// <summary>Names have changed, and with them their directories; the reply tells what those are like now, unless they are changing again.</summary>
    private void Named(MetadataReply reply, ulong directory, ulong other = 0, ulong moved = 0)
    {
        Touched(directory, other, moved);
        foreach (Attributes attributes in reply.Directories)
        {
            if (_nodes.ContainsKey(attributes.Inode))
            {
                Note(attributes, LeaseMode.Read);
            }
        }
    }

    /// <summary>Attributes that a change of names has changed with them are not known any longer, here.</summary>
    private void Touched(ulong one, ulong other, ulong third)
    {
        foreach (ulong inode in (ReadOnlySpan<ulong>)[one, other, third])
        {
            if (_nodes.TryGetValue(inode, out ClientNode? node))
            {
                MarkStale(node);
            }

            ForgetListed(inode);
        }
    }

    private void MarkStale(ClientNode node)
    {
        node.IsStale = true;
        _knownNames.GetValueOrDefault(node.Inode)?.Set(null);
    }

    private async ValueTask<Result<EntryOut>> Make(Make make)
    {
        AddName(make.Parent, make.Name);
        MetadataReply reply = await _session.Mutate(new Command { Make = make });
        Named(reply, make.Parent);
        bool isNew = reply.Errno == 0 && !_nodes.ContainsKey(reply.Attributes.Inode);
        Result<EntryOut> entry = Entry(reply);
        if (isNew && reply.Empty && reply.Lease != LeaseMode.None)
        {
            // Nobody here knows the directory yet, so nothing that makes a name in it is under way from here.
            _knownNames[reply.Attributes.Inode] = new KnownNames(_session.Id);
        }

        return entry;
    }

    private static Make MakeOf(RequestContext context, NodeId parent, ReadOnlySpan<byte> name, uint mode, uint umask, uint rdev)
    {
        var make = new Make
        {
            Parent = parent.Value,
            Name = ByteString.CopyFrom(name),
            Mode = mode,
            Umask = umask,
            Uid = context.Uid,
            Gid = context.Gid,
            Rdev = rdev,
        };
        if (context.Extensions.TryGetSecurityContext(out ReadOnlySpan<byte> label, out ReadOnlySpan<byte> value))
        {
            (make.LabelName, make.Label) = (ByteString.CopyFrom(label), ByteString.CopyFrom(value));
        }

        return make;
    }

    private async ValueTask<Result<CreateOut>> OpenExisting(RequestContext context, EntryOut entry, CreateIn arg)
    {
        var id = new NodeId(entry.Nodeid);
        Result<OpenOut> open = await Open(context, id, new OpenIn { Flags = arg.Flags, OpenFlags = arg.OpenFlags });
        if (!open.IsOk)
        {
            Forget(id, 1);
            return open.Error;
        }

        return new CreateOut { Entry = EntryOf(_nodes[entry.Nodeid], nameIsHeld: false), Open = open.Value };
    }
}
