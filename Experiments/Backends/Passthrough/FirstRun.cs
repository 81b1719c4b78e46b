using Harness.FuseProtocol;
using Harness.Runtime.Native;
using Mono.Unix.Native;

namespace Harness.Experiments.Backends.Passthrough;

/// <summary>
/// What became of a request that a process before this one began and did not answer: whether it has done already what it was to do, from what it
/// noted before it acted and from the files themselves.
/// </summary>
/// <remarks>
/// Through the mount nobody else can have done it, since the kernel holds the directory's lock until the request is answered. So what is looked
/// for is only that the request's first run is not taken for its second, and what a user of the host itself does meanwhile not for either.
/// Without a journal nothing is noted, and nothing asked.
/// </remarks>
internal readonly ref struct FirstRun
{
    // STATX_BTIME
    private const uint HasBtime = 0x800;

    private readonly ulong _changedBefore;

    private FirstRun(ulong changedBefore) => _changedBefore = changedBefore;

    /// <summary>Of a request that makes a name: what was noted before its first run, or nothing where this is it.</summary>
    /// <remarks>
    /// The note is the directory's time of change. Every name that was in it by then is not younger, and what is made afterwards not older, by the
    /// file system's own clock.
    /// </remarks>
    public static FirstRun Of(RequestContext context, FileDescriptor directory)
    {
        if (!context.IsJournaled)
        {
            return default;
        }

        if (IsRepeated(context))
        {
            return new FirstRun(context.Note);
        }

        context.Note = TryLook(directory, "\0"u8, out FileStatus status) ? Math.Max(1, Nanoseconds(in status.Ctime)) : 1;
        return default;
    }

    /// <summary>Whether the first run made what has the name now.</summary>
    /// <param name="error">Why it cannot be made.</param>
    /// <param name="directory">Where.</param>
    /// <param name="path">The name.</param>
    /// <param name="type">What was to be made.</param>
    public bool Made(Errno error, FileDescriptor directory, ReadOnlySpan<byte> path, FilePermissions type)
    {
        if (_changedBefore == 0 || error != Errno.EEXIST || !TryLook(directory, path, out FileStatus status))
        {
            return false;
        }

        bool isYoung = (status.Mask & HasBtime) == 0 || Nanoseconds(in status.Btime) >= _changedBefore;
        return isYoung && ((FilePermissions)status.Mode & FilePermissions.S_IFMT) == type;
    }

    /// <summary>Whether the first run removed the name; if this is it, notes which file has it.</summary>
    public static bool Removed(RequestContext context, FileDescriptor directory, ReadOnlySpan<byte> path)
    {
        if (!context.IsJournaled)
        {
            return false;
        }

        ulong ino = InoOf(directory, path);
        if (IsRepeated(context))
        {
            return ino != context.Note;
        }

        context.Note = ino;
        return false;
    }

    /// <summary>Whether the first run moved the file; if this is it, notes which file that is.</summary>
    public static bool Renamed(RequestContext context, FileDescriptor from, ReadOnlySpan<byte> path, FileDescriptor to, ReadOnlySpan<byte> newPath)
    {
        if (!context.IsJournaled)
        {
            return false;
        }

        if (IsRepeated(context))
        {
            return InoOf(to, newPath) == context.Note;
        }

        context.Note = InoOf(from, path);
        return false;
    }

    /// <summary>Whether the first run gave the node its further name.</summary>
    public static bool Linked(RequestContext context, Errno error, Node node, FileDescriptor directory, ReadOnlySpan<byte> path) =>
        error == Errno.EEXIST && context.MayHaveRun && InoOf(directory, path) == node.Key.Ino;

    /// <summary>Whether the first run made the attribute (XATTR_CREATE) with this value.</summary>
    public static bool HasSet(
        RequestContext context, Errno error, ReadOnlySpan<byte> path, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        if (error != Errno.EEXIST || !context.MayHaveRun)
        {
            return false;
        }

        // One byte more than it should have, so that a longer value is not taken for this one.
        Span<byte> found = new byte[value.Length + 1];
        nint length = Libc.Getxattr(path, name, found);
        return length == value.Length && found[..value.Length].SequenceEqual(value);
    }

    /// <summary>Whether the attribute was there before the first run; if this is it, notes whether it is.</summary>
    public static bool HadAttribute(RequestContext context, ReadOnlySpan<byte> path, ReadOnlySpan<byte> name)
    {
        const ulong Absent = 1;
        const ulong Present = 2;
        if (IsRepeated(context))
        {
            return context.Note == Present;
        }

        if (context.IsJournaled)
        {
            context.Note = Libc.Getxattr(path, name, default) >= 0 ? Present : Absent;
        }

        return false;
    }

    /// <summary>How many bytes the first run appended to the file; if this is it, notes how long the file is.</summary>
    public static int Appended(RequestContext context, OpenFile file, ReadOnlySpan<byte> data)
    {
        if (!context.IsJournaled || Libc.Statx(file, "\0"u8, FileFlags.AtEmptyPath, FileStatus.All, out FileStatus status) < 0)
        {
            return 0;
        }

        if (!IsRepeated(context))
        {
            context.Note = status.Size + 1;
            return 0;
        }

        ulong before = context.Note - 1;
        int grown = (int)Math.Min((ulong)data.Length, Math.Max(status.Size, before) - before);
        return Holds(file, (long)before, data[..grown]) ? grown : 0;
    }

    /// <summary>Whether the request was begun: what it noted first is there.</summary>
    private static bool IsRepeated(RequestContext context) => context.MayHaveRun && context.Note != 0;

    private static bool Holds(OpenFile file, long offset, ReadOnlySpan<byte> data)
    {
        // The file may be open for writing only.
        using var path = new DescriptorPath(file);
        int fd = Libc.OpenAt(FileFlags.AtFdcwd, path.Text, FileFlags.ReadOnly | FileFlags.CloseOnExec, 0);
        if (fd < 0)
        {
            return false;
        }

        using var readable = new FileDescriptor(fd);
        Span<byte> chunk = stackalloc byte[4096];
        while (!data.IsEmpty)
        {
            nint length = Libc.Pread(readable, chunk[..Math.Min(chunk.Length, data.Length)], offset);
            if (length <= 0 || !data.StartsWith(chunk[..(int)length]))
            {
                return false;
            }

            data = data[(int)length..];
            offset += length;
        }

        return true;
    }

    private static bool TryLook(FileDescriptor directory, ReadOnlySpan<byte> path, out FileStatus status) =>
        Libc.Statx(directory, path, FileFlags.AtEmptyPath | FileFlags.AtSymlinkNofollow, FileStatus.All, out status) == 0;

    private static ulong InoOf(FileDescriptor directory, ReadOnlySpan<byte> path) => TryLook(directory, path, out FileStatus status) ? status.Ino : 0;

    private static ulong Nanoseconds(in FileTime time) => ((ulong)time.Seconds * 1_000_000_000) + time.Nanoseconds;
}
