using Google.Protobuf;
using Harness.Cluster.Wire;
using Harness.FuseProtocol.Posix;
using Harness.FuseProtocol.Wire;
using Mono.Unix.Native;

namespace Harness.Cluster.Metadata;

/// <content>The state as records, and back.</content>
internal sealed partial class MetadataState
{
    private const int NamesInRecordMax = 2048;

    /// <summary>What does not belong to one inode: first the numbers to be given out next, then sessions, servers and locks.</summary>
    /// <param name="index">The last command that the state contains.</param>
    public IEnumerable<SnapshotRecord> CommonRecords(ulong index)
    {
        yield return new SnapshotRecord
        {
            Head = new SnapshotHead
            {
                Index = index,
                Term = Term,
                Cluster = Cluster,
                NextInode = _nextInode,
                NextChunk = _nextChunk,
                NextSession = _nextSession,
                NextServer = _nextServer,
                ChunkBytesLog2 = (uint)ulong.Log2(Limits.ChunkBytes),
            },
        };
        foreach (Session session in _sessions.Values)
        {
            var record = new SessionRecord { Session = session.Id, Name = session.Name, Acknowledged = session.Acknowledged };
            record.Remembered.AddRange(session.Remembered.Select(static one => new RememberedRecord { Mutation = one.Key, Outcome = one.Value }));
            yield return new SnapshotRecord { Session = record };
        }

        foreach (ServerRecord server in _servers.Values)
        {
            yield return new SnapshotRecord
            {
                Server = new Wire.ServerRecord
                {
                    Server = server.Id,
                    Identity = server.Identity,
                    Incarnation = server.Incarnation,
                    Address = server.Address,
                    Host = server.Host,
                    Rack = server.Rack,
                    Tier = server.Tier,
                    State = (uint)server.State,
                },
            };
        }

        foreach ((ulong inode, LockTable table) in _locks)
        {
            foreach (LkFlags kind in Enum.GetValues<LkFlags>())
            {
                foreach (HeldLock held in table.Of(kind).Held)
                {
                    yield return new SnapshotRecord { Lock = ToRecord(inode, kind, held) };
                }
            }
        }
    }

    /// <summary>The records of one inode: itself, and its names or chunks. None if there is no such inode.</summary>
    public IEnumerable<SnapshotRecord> RecordsOf(ulong number)
    {
        Inode inode = _inodes.Find(number);
        if (!inode.Exists)
        {
            yield break;
        }

        yield return new SnapshotRecord { Inode = ToRecord(in inode) };
        if (inode.Chunks is { } chunks)
        {
            var record = new ChunksRecord { Inode = number };
            foreach (ChunkSlot slot in chunks.Slots)
            {
                record.Chunks.Add(LocationOf(slot.Chunk));
                record.Targets.Add(_chunks[slot.Chunk].Target);
            }

            yield return new SnapshotRecord { Chunks = record };
        }

        if (!inode.IsDirectory)
        {
            yield break;
        }

        for (int at = 0; at < inode.Names.Entries.Length || at == 0; at += NamesInRecordMax)
        {
            yield return new SnapshotRecord { Names = NamesFrom(in inode, at) };
        }
    }

    /// <summary>The pages of inodes, by their first number, in order.</summary>
    public ulong[] InodePages() => _inodes.Pages();

    /// <summary>The number that the next inode will get.</summary>
    public ulong NextInode => _nextInode;

    /// <summary>Takes in one record of a snapshot; the first is the head.</summary>
    /// <exception cref="InvalidDataException">It does not fit what came before.</exception>
    public void Load(SnapshotRecord record)
    {
        switch (record.BodyCase)
        {
            case SnapshotRecord.BodyOneofCase.Head:
                Load(record.Head);
                break;
            case SnapshotRecord.BodyOneofCase.Inode:
                Load(record.Inode);
                break;
            case SnapshotRecord.BodyOneofCase.Names:
                Load(record.Names);
                break;
            case SnapshotRecord.BodyOneofCase.Chunks:
                Load(record.Chunks);
                break;
            case SnapshotRecord.BodyOneofCase.Session:
                Load(record.Session);
                break;
            case SnapshotRecord.BodyOneofCase.Server:
                Load(record.Server);
                break;
            case SnapshotRecord.BodyOneofCase.Lock:
                Load(record.Lock);
                break;
            case SnapshotRecord.BodyOneofCase.End:
                break;
            default:
                throw new InvalidDataException("The snapshot has a record that this release does not know. Run the newer release.");
        }
    }

    private static LockRecord ToRecord(ulong inode, LkFlags kind, in HeldLock held) => new()
    {
        Inode = inode,
        Session = held.Owner.Client,
        Owner = held.Owner.Owner,
        Handle = held.Fh,
        Flock = kind == LkFlags.Flock,
        Range = new LockRange { Start = held.Start, End = held.End, Type = (uint)held.Type, Pid = held.Pid },
    };

    private InodeRecord ToRecord(in Inode inode)
    {
        var record = new InodeRecord
        {
            Attributes = inode.ToAttributes(Limits.ChunkBytes),
            Parent = inode.Parent,
            Linkable = (inode.Traits & InodeTraits.Linkable) != 0,
            Target = inode.Body is byte[] target ? UnsafeByteOperations.UnsafeWrap(target) : ByteString.Empty,
        };
        if (_xattrs.TryGetValue(inode.Number, out SortedList<byte[], byte[]>? xattrs))
        {
            record.Xattrs.AddRange(xattrs.Select(static one => new XattrRecord
            {
                Name = ByteString.CopyFrom(one.Key),
                Value = ByteString.CopyFrom(one.Value),
            }));
        }

        record.Holders.AddRange(HoldersOf(inode.Number));
        return record;
    }

    private static NamesRecord NamesFrom(in Inode directory, int at)
    {
        DirectoryTable names = directory.Names;
        var record = new NamesRecord { Directory = directory.Number, NextCookie = names.NextCookie };
        foreach (ref readonly NameEntry entry in names.Entries[at..Math.Min(names.Entries.Length, at + NamesInRecordMax)])
        {
            if (entry.Inode != 0)
            {
                record.Names.Add(new NameRecord { Name = ByteString.CopyFrom(names.NameOf(in entry)), Inode = entry.Inode, Cookie = entry.Cookie });
            }
        }

        return record;
    }

    private void Load(SnapshotHead head)
    {
        if (Cluster != 0 || 1UL << (int)head.ChunkBytesLog2 != Limits.ChunkBytes)
        {
            throw new InvalidDataException(Cluster != 0
                ? "A snapshot can only be read into an empty state."
                : $"This cluster has chunks of {1UL << (int)head.ChunkBytesLog2} bytes, not of {Limits.ChunkBytes}: start it with the former.");
        }

        (Term, Cluster) = (head.Term, head.Cluster);
        (_nextInode, _nextChunk, _nextSession, _nextServer) = (head.NextInode, head.NextChunk, head.NextSession, head.NextServer);
    }

    private void Load(InodeRecord record)
    {
        Attributes attributes = record.Attributes;
        ref Inode inode = ref _inodes.Add(attributes.Inode);
        inode.Mode = (FilePermissions)attributes.Mode;
        inode.Size = inode.IsFile ? attributes.Size : 0;
        (inode.Atime, inode.Mtime, inode.Ctime, inode.Btime) = (attributes.Atime, attributes.Mtime, attributes.Ctime, attributes.Btime);
        (inode.Nlink, inode.Uid, inode.Gid, inode.Rdev) = (attributes.Nlink, attributes.Uid, attributes.Gid, attributes.Rdev);
        inode.Parent = record.Parent;
        inode.Traits = record.Linkable ? InodeTraits.Linkable : InodeTraits.None;
        inode.Body = inode.IsDirectory ? new DirectoryTable() : inode.Type == FilePermissions.S_IFLNK ? record.Target.ToByteArray() : null;
        foreach (XattrRecord xattr in record.Xattrs)
        {
            PutXattr(ref inode, xattr.Name.Span, xattr.Value.ToByteArray());
        }

        foreach (ulong holder in record.Holders)
        {
            Held(attributes.Inode, holder);
        }
    }

    private void Load(NamesRecord record)
    {
        DirectoryTable names = _inodes.Find(record.Directory).Names;
        foreach (NameRecord name in record.Names)
        {
            names.Add(name.Name.Span, name.Inode, name.Cookie);
        }

        names.RestoreNextCookie(record.NextCookie);
    }

    private void Load(ChunksRecord record)
    {
        var list = new ChunkList();
        foreach ((ChunkLocation chunk, uint target) in record.Chunks.Zip(record.Targets))
        {
            list.Add(chunk.Index, chunk.Chunk);
            _chunks.Add(chunk.Chunk, new ChunkRecord(record.Inode, chunk.Index, chunk.Version, [.. chunk.Servers], target));
        }

        _inodes.Find(record.Inode).Body = list;
    }

    private void Load(SessionRecord record)
    {
        var session = new Session(record.Session, record.Name);
        session.Acknowledge(record.Acknowledged);
        foreach (RememberedRecord remembered in record.Remembered)
        {
            session.Remember(remembered.Mutation, remembered.Outcome);
        }

        _sessions.Add(session.Id, session);
    }

    private void Load(Wire.ServerRecord record) => _servers.Add(record.Server, new ServerRecord
    {
        Id = record.Server,
        Identity = record.Identity,
        Incarnation = record.Incarnation,
        Address = record.Address,
        Host = record.Host,
        Rack = record.Rack,
        Tier = record.Tier,
        State = (ServerState)record.State,
    });

    private void Load(LockRecord record)
    {
        if (!_locks.TryGetValue(record.Inode, out LockTable? table))
        {
            _locks.Add(record.Inode, table = new LockTable());
        }

        var held = new HeldLock(
            new LockOwner(record.Session, record.Owner), record.Handle, record.Range.Pid, (LockType)record.Range.Type, record.Range.Start,
            record.Range.End);
        _locksHeld += table.Of(record.Flock ? LkFlags.Flock : LkFlags.None).Apply(in held);
    }
}
