using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;
using Mono.Unix.Native;
using Dirent = Harness.FuseProtocol.Wire.Dirent;

namespace Harness.Cluster.Checking;

/// <summary>What a world's lanes work on: the names that the schedule's numbers stand for.</summary>
/// <param name="Files">Inodes of the files.</param>
/// <param name="Directories">Inodes of the directories.</param>
/// <param name="Chunks">The chunks that are written without leases.</param>
internal sealed record Subjects(ulong[] Files, ulong[] Directories, ulong[] Chunks);

/// <summary>Does what a schedule has for one lane, one operation after another, and notes it in the history.</summary>
internal sealed class Lane(CheckedCluster cluster, CheckedClient client, Subjects subjects, History history, IReadOnlyList<Operation> operations)
{
    private const int DirectFlag = 0x4000;

    private static readonly RequestContext s_root = new(0, 0);

    private bool _isDone;

    /// <summary>Whether all is done, or who was to do it is dead: what he was at stays open for ever.</summary>
    public bool IsDone => _isDone || client.IsDead;

    /// <summary>Begins.</summary>
    public void Start() => client.Loop.Post(_ => Run(), null);

    // What it might throw ends the run.
    private async void Run()
    {
        foreach (Operation operation in operations)
        {
            await LoopYield.Delay(client.Loop, operation.PauseNanoseconds);
            await Do(operation);
        }

        _isDone = true;
    }

    /// <summary>Does one operation.</summary>
    public async Task Do(Operation operation)
    {
        if (operation.Kind == OperationKind.Link && client.LastFile == 0)
        {
            return;
        }

        Call call = history.Add(Begin(operation));
        Errno error = await Perform(operation, call);
        call.Error = error;
        // Whoever is told anything else has not been told what became of it.
        bool isKnown = error == Errnos.Ok ||
            (operation.Kind >= OperationKind.Create && error is (Errno.EEXIST or Errno.ENOENT or Errno.EISDIR or Errno.ENOTDIR or Errno.ESTALE));
        call.ReturnedNanoseconds = isKnown ? history.NowNanoseconds : Call.Open;
        cluster.Note($"lane {call.Lane}: #{call.Id} {call.Asked()} → {(isKnown ? call.Answered() : error)}");
    }

    private Call Begin(Operation operation) => new()
    {
        Id = history.NextId,
        Lane = operation.Lane,
        Kind = operation.Kind,
        Subject = operation.Kind switch
        {
            <= OperationKind.Sync => subjects.Files[operation.Subject],
            <= OperationKind.ChunkPunch => subjects.Chunks[operation.Subject],
            _ => (ulong)operation.Subject,
        },
        First = operation.First,
        Count = operation.Count,
        OtherSubject = (ulong)operation.OtherSubject,
        OtherName = operation.OtherName,
        Value = (ulong)history.NextId + 1,
        Identity = operation.Kind == OperationKind.Link ? client.LastFile : 0,
        InvokedNanoseconds = history.NowNanoseconds,
    };

    private Task<Errno> Perform(Operation operation, Call call) => operation.Kind switch
    {
        <= OperationKind.Sync => OnFile(operation, call),
        <= OperationKind.ChunkPunch => OnChunk(call),
        _ => OnNames(operation, call),
    };

    private async Task<Errno> OnFile(Operation operation, Call call)
    {
        ClusterClientFile file = new(client.FileSystem, new NodeId(call.Subject));
        ulong offset = (ulong)call.First * Call.CellBytes;
        ulong length = (ulong)call.Count * Call.CellBytes;
        switch (operation.Kind)
        {
            case OperationKind.Write:
                var write = new WriteIn { Offset = offset, Flags = operation.IsDirect ? DirectFlag : 0u };
                Result<int> written = await file.System.Write(s_root, file.Node, write, Bytes(call.Value, call.Count));
                return written.IsOk && written.Value != (int)length ? Errno.EIO : written.Error;
            case OperationKind.Read:
                var buffer = new byte[length];
                Result<int> read = await file.System.Read(s_root, file.Node, new ReadIn { Offset = offset, Size = (uint)length }, buffer);
                See(call, buffer.AsSpan(0, read.IsOk ? read.Value : 0));
                return read.Error;
            case OperationKind.Truncate:
                var truncate = new SetattrIn { Valid = SetattrValid.Size, Size = offset };
                return (await file.System.Setattr(s_root, file.Node, truncate)).Error;
            case OperationKind.Punch:
                var punch = new FallocateIn { Offset = offset, Length = length, Mode = FallocateMode.KeepSize | FallocateMode.PunchHole };
                return await file.System.Fallocate(s_root, file.Node, punch);
            case OperationKind.Size:
                Result<AttrOut> attributes = await file.System.Getattr(s_root, file.Node, default);
                call.Cells = attributes.IsOk ? (int)(attributes.Value.Attr.Size / Call.CellBytes) : 0;
                return attributes.Error;
            default:
                return await file.System.Fsync(s_root, file.Node, default);
        }
    }

    private async Task<Errno> OnChunk(Call call)
    {
        if (await client.HandleOf(call.Subject) is not { } chunk)
        {
            return Errno.EIO;
        }

        long offset = (long)call.First * Call.CellBytes;
        int length = call.Count * Call.CellBytes;
        switch (call.Kind)
        {
            case OperationKind.ChunkWrite:
                return await client.Chunks.Write(chunk, offset, Bytes(call.Value, call.Count));
            case OperationKind.ChunkRead:
                var buffer = new byte[length];
                Errno error = await client.Chunks.Read(chunk, offset, buffer);
                See(call, buffer);
                return error;
            default:
                return await client.Chunks.Punch(chunk, offset, length);
        }
    }

    private async Task<Errno> OnNames(Operation operation, Call call)
    {
        ClusterClientFile directory = new(client.FileSystem, new NodeId(subjects.Directories[operation.Subject]));
        byte[] name = NameOf(operation.First);
        switch (operation.Kind)
        {
            case OperationKind.Create:
                var create = new CreateIn { Flags = (uint)(OpenFlags.O_RDWR | OpenFlags.O_CREAT | OpenFlags.O_EXCL), Mode = 0x81A4 };
                Result<CreateOut> created = await directory.System.Create(s_root, directory.Node, name, create);
                if (created.IsOk)
                {
                    call.Identity = client.LastFile = created.Value.Entry.Nodeid << 1;
                    await directory.System.Release(s_root, new NodeId(created.Value.Entry.Nodeid), new ReleaseIn { Fh = created.Value.Open.Fh });
                }

                return created.Error;
            case OperationKind.MakeDirectory:
                Result<EntryOut> made = await directory.System.Mkdir(s_root, directory.Node, name, new MkdirIn { Mode = 0x1ED });
                call.Identity = made.IsOk ? (made.Value.Nodeid << 1) | 1 : 0;
                return made.Error;
            case OperationKind.LookUp:
                return await LookUp(directory, name, call);
            case OperationKind.Unlink:
                return await directory.System.Unlink(s_root, directory.Node, name);
            case OperationKind.RemoveDirectory:
                return await directory.System.Rmdir(s_root, directory.Node, name);
            case OperationKind.Rename:
                var target = new NodeId(subjects.Directories[operation.OtherSubject]);
                return await directory.System.Rename(s_root, directory.Node, name, target, NameOf(operation.OtherName), RenameFlags.None);
            case OperationKind.Link:
                return (await directory.System.Link(s_root, new NodeId(call.Identity >> 1), directory.Node, name)).Error;
            default:
                return await List(directory, call);
        }
    }

    private async Task<Errno> LookUp(ClusterClientFile directory, byte[] name, Call call)
    {
        Result<EntryOut> found = await directory.System.Lookup(s_root, directory.Node, name);
        if (!found.IsOk || found.Value.Nodeid == 0)
        {
            return found.IsOk ? Errno.ENOENT : found.Error;
        }

        bool isDirectory = ((FilePermissions)found.Value.Attr.Mode & FilePermissions.S_IFMT) == FilePermissions.S_IFDIR;
        call.Identity = (found.Value.Nodeid << 1) | (isDirectory ? 1u : 0);
        client.LastFile = isDirectory ? client.LastFile : call.Identity;
        return Errnos.Ok;
    }

    private static async Task<Errno> List(ClusterClientFile directory, Call call)
    {
        Result<OpenOut> opened = await directory.System.Opendir(s_root, directory.Node, default);
        if (!opened.IsOk)
        {
            return opened.Error;
        }

        var buffer = new byte[4096];
        var arg = new ReadIn { Fh = opened.Value.Fh, Size = (uint)buffer.Length };
        Result<int> length = await directory.System.Readdir(s_root, directory.Node, arg, buffer);
        await directory.System.Releasedir(s_root, directory.Node, new ReleaseIn { Fh = opened.Value.Fh });
        var seen = new ulong[Schedule.Names];
        ReadOnlySpan<byte> rest = buffer.AsSpan(0, length.IsOk ? length.Value : 0);
        while (!rest.IsEmpty)
        {
            Dirent entry = MemoryMarshal.Read<Dirent>(rest);
            int head = Marshal.SizeOf<Dirent>();
            string name = Encoding.UTF8.GetString(rest.Slice(head, (int)entry.Namelen));
            if (name is ['n', ..] && int.TryParse(name.AsSpan(1), CultureInfo.InvariantCulture, out int place))
            {
                const uint DirectoryType = 4;
                seen[place] = (entry.Ino << 1) | (entry.Type == DirectoryType ? 1u : 0);
            }

            rest = rest[((head + (int)entry.Namelen + 7) & ~7)..];
        }

        call.Seen = seen;
        return length.Error;
    }

    private static byte[] NameOf(int name) => Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"n{name}"));

    private static byte[] Bytes(ulong value, int cells)
    {
        var bytes = new byte[cells * Call.CellBytes];
        MemoryMarshal.Cast<byte, ulong>(bytes.AsSpan()).Fill(value);
        return bytes;
    }

    /// <summary>A cell whose bytes are not all of one write is a number that nobody has written.</summary>
    private static void See(Call call, ReadOnlySpan<byte> bytes)
    {
        var seen = new ulong[bytes.Length / Call.CellBytes];
        for (int cell = 0; cell < seen.Length; cell++)
        {
            ReadOnlySpan<byte> one = bytes.Slice(cell * Call.CellBytes, Call.CellBytes);
            ulong value = BinaryPrimitives.ReadUInt64LittleEndian(one);
            seen[cell] = MemoryMarshal.Cast<byte, ulong>(one).ContainsAnyExcept(value) ? ulong.MaxValue : value;
        }

        (call.Seen, call.Cells) = (seen, seen.Length);
    }

    private readonly record struct ClusterClientFile(IFileSystem System, NodeId Node);
}
