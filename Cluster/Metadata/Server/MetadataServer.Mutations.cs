using Harness.Cluster.Wire;
using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;
using Mono.Unix.Native;
using Body = Harness.Cluster.Wire.Command.BodyOneofCase;

namespace Harness.Cluster.Metadata.Server;

/// <content>Changes that clients ask for.</content>
internal sealed partial class MetadataServer
{
    private async ValueTask<MetadataReply> Mutate(ulong session, Command command)
    {
        command.Session = session;
        if (State.Sessions.TryGetValue(session, out Session? known) && command.Mutation != 0 && known.Recall(command.Mutation) is { } before)
        {
            return Answer(session, command, before);
        }

        switch (command.BodyCase)
        {
            case Body.Make:
                return await ChangeNames(session, command, [(command.Make.Parent, command.Make.Name.Memory)]);
            case Body.Link:
                return await ChangeNames(session, command, [(command.Link.Parent, command.Link.Name.Memory)], command.Link.Inode);
            case Body.Unlink:
                return await ChangeNames(session, command, [(command.Unlink.Parent, command.Unlink.Name.Memory)]);
            case Body.Rename:
                return await ChangeNames(
                    session, command, [(command.Rename.Parent, command.Rename.Name.Memory), (command.Rename.NewParent, command.Rename.NewName.Memory)]);
            case Body.SetAttributes:
                return await ChangeInode(session, command, command.SetAttributes.Inode);
            case Body.SetXattr:
                return await ChangeInode(session, command, command.SetXattr.Inode);
            case Body.RemoveXattr:
                return await ChangeInode(session, command, command.RemoveXattr.Inode);
            case Body.AllocateChunks:
                return await Allocate(session, command, [command.AllocateChunks]);
            case Body.AllocateAll:
                return await Allocate(session, command, command.AllocateAll.Files);
            case Body.WroteAll:
                RefuseOthers(session, command.WroteAll.Files);
                return Answer(session, command, await _pipeline.Submit(command));
            case Body.Wrote:
                return await AsHolder(session, command, command.Wrote.Inode);
            case Body.DropChunks:
                return await AsHolder(session, command, command.DropChunks.Inode);
            case Body.SetLock or Body.ReleaseLocks:
                MetadataReply reply = Answer(session, command, await _pipeline.Submit(command));
                GrantAllWaits();
                return reply;
            case Body.Hold:
                return Answer(session, command, await _pipeline.Submit(command));
            default:
                // The cluster's own commands are not for clients.
                return Refused(Errno.EPERM);
        }
    }

    /// <summary>Changes names, and with them what the names stand for.</summary>
    private async ValueTask<MetadataReply> ChangeNames(
        ulong session, Command command, (ulong Directory, ReadOnlyMemory<byte> Name)[] names, ulong inode = 0)
    {
        List<GateKey> entered = [];
        foreach (GateKey key in names.Where(static one => !one.Name.IsEmpty).Select(static one => GateKey.Of(one.Directory, one.Name.Span)).Distinct().Order())
        {
            await _gates.Enter(key);
            entered.Add(key);
        }

        // Behind these gates the names keep standing for the same inodes.
        SortedSet<ulong> inodes = inode == 0 ? [] : [inode];
        foreach ((ulong directory, ReadOnlyMemory<byte> name) in names)
        {
            if (command.BodyCase != Body.Make && State.LookUp(directory, name.Span, out ulong found) == Errnos.Ok && found != 0)
            {
                inodes.Add(found);
            }
        }

        foreach (ulong one in inodes)
        {
            var key = new GateKey(one);
            await _gates.Enter(key);
            entered.Add(key);
        }

        ulong[] changing = [.. names.Select(static one => one.Directory).Concat(inodes)];
        foreach (ulong one in changing)
        {
            _leases.BeginChange(one);
        }

        await RecallAll(session, names, inodes);
        AddHolders(session, command);
        Outcome outcome = await _pipeline.Submit(command);
        foreach (ulong one in changing)
        {
            _leases.EndChange(one);
        }

        MetadataReply reply = Answer(session, command, outcome);
        foreach (GateKey key in entered)
        {
            _gates.Leave(key);
        }

        return reply;
    }

    private async ValueTask RecallAll(ulong session, (ulong Directory, ReadOnlyMemory<byte> Name)[] names, IEnumerable<ulong> inodes)
    {
        List<Task>? recalls = null;
        foreach ((ulong directory, ReadOnlyMemory<byte> name) in names)
        {
            Add(RecallOthers(directory, session, LeaseMode.None, name));
        }

        foreach (ulong inode in inodes)
        {
            Add(RecallOthers(inode, session, LeaseMode.None));
        }

        if (recalls is not null)
        {
            await Task.WhenAll(recalls);
        }

        void Add(ValueTask recall)
        {
            if (!recall.IsCompletedSuccessfully)
            {
                (recalls ??= []).Add(recall.AsTask());
            }
        }
    }

    /// <summary>
    /// Notes who may have open what is about to lose its last name: others say so when their lease is recalled; who asks is taken to need it
    /// still, and says soon when it does not.
    /// </summary>
    private void AddHolders(ulong session, Command command)
    {
        (ulong parent, ReadOnlyMemory<byte> name, var holders) = command.BodyCase switch
        {
            Body.Unlink => (command.Unlink.Parent, command.Unlink.Name.Memory, command.Unlink.Holders),
            Body.Rename when command.Rename.Flags != (uint)RenameFlags.Exchange =>
                (command.Rename.NewParent, command.Rename.NewName.Memory, command.Rename.Holders),
            _ => default,
        };
        holders?.Clear();
        if (holders is not null && State.LookUp(parent, name.Span, out ulong found) == Errnos.Ok && found != 0)
        {
            holders.AddRange(_leases.OpenIn(found).Append(session).Distinct());
        }
    }

    private async ValueTask<MetadataReply> ChangeInode(ulong session, Command command, ulong inode)
    {
        if (_leases.Of(inode, session).Mode == LeaseMode.Write)
        {
            // Nobody else has anything to give up. And whoever has the gate may be waiting for this very client, which works under its lease.
            return Answer(session, command, await _pipeline.Submit(command));
        }

        var gate = new GateKey(inode);
        await _gates.Enter(gate);
        _leases.BeginChange(inode);
        await RecallOthers(inode, session, LeaseMode.None);
        Outcome outcome = await _pipeline.Submit(command);
        _leases.EndChange(inode);
        MetadataReply reply = Answer(session, command, outcome);
        _gates.Leave(gate);
        return reply;
    }

    /// <summary>
    /// Chooses where new chunks go, and tells their servers. That waits for no flush of the log: if a power cut takes the command, the next term
    /// gives out greater chunk numbers, so nobody else's chunk is ever taken for this one, and whoever reports a replica of it is told to remove it.
    /// </summary>
    private async ValueTask<MetadataReply> Allocate(ulong session, Command command, IReadOnlyList<AllocateChunks> files)
    {
        foreach (Placement placement in files.SelectMany(static file => file.Placements))
        {
            placement.Servers.Clear();
            Errno error = _chunkServers.Place(placement.Servers);
            if (error != Errnos.Ok)
            {
                return Refused(error);
            }
        }

        RefuseOthers(session, files);
        Outcome outcome = await _pipeline.Submit(command);
        await _chunkServers.Created([.. ChunksOf(outcome)]);
        return Answer(session, command, outcome);
    }

    private static IEnumerable<ChunkLocation> ChunksOf(Outcome outcome) => outcome.Chunks.Concat(outcome.Parts.SelectMany(static part => part.Chunks));

    /// <summary>Inode 0 instead of the files of which the session does not hold the Write lease: the state refuses it with ESTALE, and only it.</summary>
    private void RefuseOthers(ulong session, IReadOnlyList<AllocateChunks> files)
    {
        foreach (AllocateChunks file in files)
        {
            file.Inode = _leases.Of(file.Inode, session).Mode == LeaseMode.Write ? file.Inode : 0;
        }
    }

    private void RefuseOthers(ulong session, IReadOnlyList<Wrote> files)
    {
        foreach (Wrote file in files)
        {
            file.Inode = _leases.Of(file.Inode, session).Mode == LeaseMode.Write ? file.Inode : 0;
        }
    }

    /// <summary>A change that only the holder of a Write lease may make: who has lost it, and does not know, is stopped here.</summary>
    private async ValueTask<MetadataReply> AsHolder(ulong session, Command command, ulong inode) =>
        _leases.Of(inode, session).Mode == LeaseMode.Write
            ? Answer(session, command, await _pipeline.Submit(command))
            : Refused(Errno.ESTALE);

    /// <summary>
    /// Adds what a change of names has made of the directories' attributes, so that nobody has to ask: the kernel looks at a directory before each
    /// step into it, and forgets its attributes with each change of its names (fs/fuse/dir.c, <c>fuse_dir_changed</c>).
    /// </summary>
    private void AddDirectories(ulong session, Command command, MetadataReply reply)
    {
        (ulong one, ulong other) = command.BodyCase switch
        {
            Body.Make when !command.Make.Name.IsEmpty => (command.Make.Parent, 0ul),
            Body.Link => (command.Link.Parent, 0ul),
            Body.Unlink => (command.Unlink.Parent, 0ul),
            Body.Rename => (command.Rename.Parent, command.Rename.NewParent),
            _ => (0ul, 0ul),
        };
        Add(one);
        Add(other != one ? other : 0);

        void Add(ulong directory)
        {
            if (directory != 0 && Grant(directory, session, LeaseMode.Read) != LeaseMode.None && State.AttributesOf(directory) is { } attributes)
            {
                reply.Directories.Add(attributes);
            }
        }
    }

    /// <summary>The reply to a change, with leases on what it made or changed.</summary>
    private MetadataReply Answer(ulong session, Command command, Outcome outcome)
    {
        if ((Errno)outcome.Errno == Errno.EAGAIN && command.BodyCase != Body.SetLock)
        {
            // Too much waits for the log, or for the client's acknowledgement: nothing was executed, and without an outcome the client asks again.
            // Of a lock it says that somebody holds it.
            return Refused(Errno.EAGAIN);
        }

        var reply = new MetadataReply { Errno = outcome.Errno, Outcome = outcome };
        if (outcome.Errno != 0)
        {
            return reply;
        }

        if (outcome.Attributes is { } attributes)
        {
            // The present ones: others may have changed them since, if this is the reply to a retry.
            reply.Attributes = State.AttributesOf(attributes.Inode) ?? attributes;
            GrantTo(session, reply, command.BodyCase == Body.Make && command.Make.Hold ? LeaseMode.Write : LeaseMode.Read);
            reply.Empty = reply.Lease != LeaseMode.None && State.IsEmptyDirectory(attributes.Inode);
        }

        ulong parent = command.BodyCase switch
        {
            Body.Make when !command.Make.Name.IsEmpty => command.Make.Parent,
            Body.Link => command.Link.Parent,
            _ => 0,
        };
        reply.ParentLease = parent != 0 && Grant(parent, session, LeaseMode.Read) != LeaseMode.None;
        AddDirectories(session, command, reply);
        AddServers(reply, ChunksOf(outcome));
        return reply;
    }
}
