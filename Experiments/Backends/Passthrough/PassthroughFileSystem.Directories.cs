using System.Runtime.InteropServices;
using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;
using Harness.Runtime.Native;
using Mono.Unix.Native;

namespace Harness.Experiments.Backends.Passthrough;

/// <content>Listing directories, in the host's order and by the host's offsets.</content>
internal sealed partial class PassthroughFileSystem
{
    // struct linux_dirent64: inode, offset, length of the record, type, name ended by NUL.
    private const int OffsetAt = 8;
    private const int LengthAt = 16;
    private const int TypeAt = 18;
    private const int NameAt = 19;

    /// <summary>Room for the longest record, a name of 255 bytes; with less the host may answer EINVAL.</summary>
    private const int RecordBytesMax = 280;

    private const int ChunkBytesMax = 4096;

    /// <summary>How many times the bytes that the host needs for a name READDIRPLUS needs, or more.</summary>
    private const int PlusFactor = 4;

    /// <inheritdoc/>
    public ValueTask<Result<OpenOut>> Opendir(RequestContext context, NodeId node, OpenIn arg)
    {
        using NodeFile found = _nodes.Open(node);
        if (found.Error != Errnos.Ok)
        {
            return new(found.Error);
        }

        int fd = Libc.OpenAt(found.Descriptor, ".\0"u8, FileFlags.Directory | FileFlags.CloseOnExec, 0);
        if (fd < 0)
        {
            return new(LastError);
        }

        var opened = new OpenDirectory(found.Node, fd);
        ulong fh = _directories.Add(opened, context.Unique);
        if (fh == 0)
        {
            opened.Dispose();
            return new(Errno.ENFILE);
        }

        return new(_backend.OpenedDirectory(fh));
    }

    /// <inheritdoc/>
    public ValueTask<Errno> Releasedir(RequestContext context, NodeId node, ReleaseIn arg)
    {
        _directories.Remove(arg.Fh)?.Dispose();
        return new(Errnos.Ok);
    }

    /// <inheritdoc/>
    public ValueTask<Errno> Fsyncdir(RequestContext context, NodeId node, FsyncIn arg)
    {
        if (_directories.Find(arg.Fh) is not { } directory)
        {
            return new(Errno.EBADF);
        }

        return new(Checked((arg.FsyncFlags & FsyncFlags.Fdatasync) != 0 ? Libc.Fdatasync(directory) : Libc.Fsync(directory)));
    }

    /// <inheritdoc/>
    public ValueTask<Result<int>> Readdir(RequestContext context, NodeId node, ReadIn arg, Memory<byte> buffer) =>
        new(List(in arg, buffer.Span, plus: false));

    /// <inheritdoc/>
    public ValueTask<Result<int>> Readdirplus(RequestContext context, NodeId node, ReadIn arg, Memory<byte> buffer) =>
        new(List(in arg, buffer.Span, plus: true));

    private Result<int> List(in ReadIn arg, Span<byte> buffer, bool plus)
    {
        if (_directories.Find(arg.Fh) is not { } directory)
        {
            return Errno.EBADF;
        }

        Span<byte> chunk = stackalloc byte[ChunkBytesMax];
        var writer = new DirentWriter(buffer);
        lock (directory.Gate)
        {
            if (directory.Position != arg.Offset && Libc.Lseek(directory, (long)arg.Offset, 0) < 0)
            {
                return LastError;
            }

            directory.Position = arg.Offset;
            while (true)
            {
                // Names that do not fit are read again next time, so that not many more are read than fit.
                int wanted = (buffer.Length - writer.Length) / (plus ? PlusFactor : 1);
                nint read = Libc.Getdents64(directory, chunk[..Math.Clamp(wanted, RecordBytesMax, ChunkBytesMax)]);
                if (read < 0)
                {
                    directory.Position = OpenDirectory.Unknown;
                    return writer.Length > 0 ? writer.Length : LastError;
                }

                if (read == 0)
                {
                    return writer.Length;
                }

                if (!TryAddAll(ref writer, directory, chunk[..(int)read], plus))
                {
                    directory.Position = OpenDirectory.Unknown;
                    return writer.Length > 0 ? writer.Length : Errno.EINVAL;
                }
            }
        }
    }

    /// <summary>Adds what the host has listed.</summary>
    /// <returns>False if not all of it fits.</returns>
    private bool TryAddAll(ref DirentWriter writer, OpenDirectory directory, scoped ReadOnlySpan<byte> records, bool plus)
    {
        while (!records.IsEmpty)
        {
            ReadOnlySpan<byte> record = records[..MemoryMarshal.Read<ushort>(records[LengthAt..])];
            ulong nextOffset = MemoryMarshal.Read<ulong>(record[OffsetAt..]);
            if (!(plus ? TryAddPlus(ref writer, directory, record, nextOffset) : TryAdd(ref writer, directory, record, nextOffset)))
            {
                return false;
            }

            directory.Position = nextOffset;
            records = records[record.Length..];
        }

        return true;
    }

    private bool TryAdd(ref DirentWriter writer, OpenDirectory directory, scoped ReadOnlySpan<byte> record, ulong nextOffset)
    {
        ReadOnlySpan<byte> path = record[NameAt..];
        return writer.TryAdd(path[..path.IndexOf((byte)0)], ListedIno(directory, record), (uint)record[TypeAt] << 12, nextOffset);
    }

    /// <summary>Adds a name with what LOOKUP would answer. A name that is gone meanwhile is left out; one that cannot be looked up is listed only.</summary>
    private bool TryAddPlus(ref DirentWriter writer, OpenDirectory directory, scoped ReadOnlySpan<byte> record, ulong nextOffset)
    {
        ReadOnlySpan<byte> path = record[NameAt..];
        ReadOnlySpan<byte> name = path[..path.IndexOf((byte)0)];
        var entry = new EntryOut { Attr = new Attr { Ino = ListedIno(directory, record), Mode = (uint)record[TypeAt] << 12 } };
        if (name.SequenceEqual("."u8) || name.SequenceEqual(".."u8))
        {
            return writer.TryAddPlus(name, in entry, nextOffset);
        }

        Result<EntryOut> found = LookUp(directory, path);
        if (found.Error == Errno.ENOENT)
        {
            return true;
        }

        entry = found.IsOk ? found.Value : entry;
        if (writer.TryAddPlus(name, in entry, nextOffset))
        {
            return true;
        }

        _nodes.Forget(new NodeId(entry.Nodeid), 1);
        return false;
    }

    /// <summary>The inode number of a listed name. What is above the root is nobody's business.</summary>
    private ulong ListedIno(OpenDirectory directory, ReadOnlySpan<byte> record)
    {
        NodeKey key = directory.Node.Key;
        bool isAboveRoot = directory.Node == _nodes.Root && record[NameAt..].StartsWith("..\0"u8);
        return isAboveRoot ? key.Ino : InoOf(key with { Ino = MemoryMarshal.Read<ulong>(record) });
    }
}
