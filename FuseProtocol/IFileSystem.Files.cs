using Harness.FuseProtocol.Wire;
using Mono.Unix.Native;

namespace Harness.FuseProtocol;

public partial interface IFileSystem
{
    /// <summary>Opens a file. ENOSYS means "every file, from now on, without asking" where NO_OPEN_SUPPORT was agreed.</summary>
    ValueTask<Result<OpenOut>> Open(RequestContext context, NodeId node, OpenIn arg) => Unserved<OpenOut>();

    /// <summary>Makes a file and opens it, or opens it if it exists and <c>arg.Flags</c> has no O_EXCL.</summary>
    ValueTask<Result<CreateOut>> Create(RequestContext context, NodeId parent, ReadOnlyMemory<byte> name, CreateIn arg) =>
        Unserved<CreateOut>();

    /// <summary>Makes and opens a file without a name (O_TMPFILE).</summary>
    ValueTask<Result<CreateOut>> Tmpfile(RequestContext context, NodeId parent, CreateIn arg) => Unserved<CreateOut>();

    /// <summary>Reads file bytes at <c>arg.Offset</c> (<c>fuse_read_in</c>).</summary>
    /// <param name="context">Who asks.</param>
    /// <param name="node">The file.</param>
    /// <param name="arg">The open file, offset and size.</param>
    /// <param name="buffer">Exactly <c>arg.Size</c> bytes; valid until the task ends.</param>
    /// <returns>Bytes read, fewer than asked only at end of file; EBADF if <c>Fh</c> is unknown.</returns>
    ValueTask<Result<int>> Read(RequestContext context, NodeId node, ReadIn arg, Memory<byte> buffer) => Unserved<int>();

    /// <summary>Writes file bytes at <c>arg.Offset</c>; with O_APPEND in <c>arg.Flags</c> the kernel has already chosen the end it knows.</summary>
    /// <returns>Bytes written; fewer than <c>data</c> is an error to the application unless the file was opened FOPEN_DIRECT_IO.</returns>
    ValueTask<Result<int>> Write(RequestContext context, NodeId node, WriteIn arg, ReadOnlyMemory<byte> data) => Unserved<int>();

    /// <summary>One close(2) of the open file, of which there may be several. Its error is close(2)'s.</summary>
    ValueTask<Errno> Flush(RequestContext context, NodeId node, FlushIn arg) => Unserved();

    /// <summary>The open file is gone. Nobody sees an error.</summary>
    ValueTask<Errno> Release(RequestContext context, NodeId node, ReleaseIn arg) => new(Errnos.Ok);

    /// <summary>Writes a file's data, and its attributes unless Fdatasync, to stable storage.</summary>
    ValueTask<Errno> Fsync(RequestContext context, NodeId node, FsyncIn arg) => Unserved();

    /// <summary>Opens a directory.</summary>
    ValueTask<Result<OpenOut>> Opendir(RequestContext context, NodeId node, OpenIn arg) => Unserved<OpenOut>();

    /// <summary>Lists a directory from <c>arg.Offset</c> (0, or what <see cref="DirentWriter"/> was told) into <paramref name="buffer"/>.</summary>
    /// <returns>Bytes written by a <see cref="DirentWriter"/>; 0 at the end.</returns>
    ValueTask<Result<int>> Readdir(RequestContext context, NodeId node, ReadIn arg, Memory<byte> buffer) => Unserved<int>();

    /// <summary>As <see cref="Readdir"/>, with what LOOKUP would answer for each name; raises lookup counts likewise.</summary>
    ValueTask<Result<int>> Readdirplus(RequestContext context, NodeId node, ReadIn arg, Memory<byte> buffer) => Unserved<int>();

    /// <summary>The open directory is gone.</summary>
    ValueTask<Errno> Releasedir(RequestContext context, NodeId node, ReleaseIn arg) => new(Errnos.Ok);

    /// <summary>Writes a directory to stable storage.</summary>
    ValueTask<Errno> Fsyncdir(RequestContext context, NodeId node, FsyncIn arg) => Unserved();

    /// <summary>Finds a lock that would conflict; F_UNLCK where there is none.</summary>
    ValueTask<Result<FileLock>> Getlk(RequestContext context, NodeId node, LkIn arg) => Unserved<FileLock>();

    /// <summary>Sets or removes a lock.</summary>
    /// <param name="context">Who asks; a wait ends with EINTR when interrupted.</param>
    /// <param name="node">The file.</param>
    /// <param name="arg">The lock.</param>
    /// <param name="wait">Whether to wait for conflicting locks (SETLKW) or to answer EAGAIN (SETLK).</param>
    ValueTask<Errno> Setlk(RequestContext context, NodeId node, LkIn arg, bool wait) => Unserved();

    /// <summary>Maps a file block to a device block, for file systems on a block device.</summary>
    ValueTask<Result<ulong>> Bmap(RequestContext context, NodeId node, BmapIn arg) => Unserved<ulong>();

    /// <summary>Serves an ioctl(2).</summary>
    /// <param name="context">Who asks.</param>
    /// <param name="node">The file or directory.</param>
    /// <param name="arg">Command, argument and sizes.</param>
    /// <param name="data">What the caller sent, <c>arg.InSize</c> bytes.</param>
    /// <param name="buffer">Where the answer goes, <c>arg.OutSize</c> bytes; or the <see cref="IoctlIovec"/>s of a retry.</param>
    ValueTask<Result<IoctlReply>> Ioctl(
        RequestContext context, NodeId node, IoctlIn arg, ReadOnlyMemory<byte> data, Memory<byte> buffer) => Unserved<IoctlReply>();

    /// <summary>Asks which events are ready; with ScheduleNotify, a poll notification for <c>arg.Kh</c> is due when that changes.</summary>
    /// <returns>Events as in poll(2).</returns>
    ValueTask<Result<uint>> Poll(RequestContext context, NodeId node, PollIn arg) => Unserved<uint>();

    /// <summary>Allocates, zeroes or frees a range.</summary>
    ValueTask<Errno> Fallocate(RequestContext context, NodeId node, FallocateIn arg) => Unserved();

    /// <summary>Finds data or a hole (SEEK_DATA, SEEK_HOLE).</summary>
    /// <returns>The offset found; ENXIO behind the end.</returns>
    ValueTask<Result<ulong>> Lseek(RequestContext context, NodeId node, LseekIn arg) => Unserved<ulong>();

    /// <summary>Copies between two files of this file system.</summary>
    /// <returns>Bytes copied.</returns>
    ValueTask<Result<ulong>> CopyFileRange(RequestContext context, NodeId node, CopyFileRangeIn arg) => Unserved<ulong>();
}

/// <summary>What an ioctl answers: the header, and how many bytes of the buffer follow it.</summary>
/// <param name="Out">Result of the call, or how to retry it.</param>
/// <param name="Length">Bytes of the buffer that count.</param>
public readonly record struct IoctlReply(IoctlOut Out, int Length);
