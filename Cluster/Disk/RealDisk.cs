using Harness.FuseProtocol;
using Harness.Runtime;
using Harness.Runtime.Native;
using Mono.Unix.Native;

namespace Harness.Cluster.Disk;

/// <summary>The real side of <see cref="IDisk"/>: a directory of this machine.</summary>
/// <remarks>Opening, renaming and listing happen at start and when a chunk is made or removed; they run on the loop itself.</remarks>
/// <param name="loop">The loop that it works for.</param>
/// <param name="root">The directory, which exists.</param>
/// <param name="workers">For what waits for the device; owned by the caller.</param>
internal sealed class RealDisk(ILoop loop, string root, DiskWorkers workers) : IDisk
{
    private readonly Stack<DiskJob> _jobs = new();

    // Open from the start: a descriptor is told of those failed writes alone that came after it was opened (syncfs(2)).
    private readonly PlainFile? _root = PlainFile.Open(root, FileFlags.Directory, out _);

    internal DiskWorkers Workers => workers;

    /// <inheritdoc/>
    public ValueTask<Result<IDiskFile>> Open(string name, OpenMode mode)
    {
        int flags = FileFlags.ReadWrite | mode switch
        {
            OpenMode.Create => FileFlags.Create,
            OpenMode.CreateNew => FileFlags.Create | FileFlags.Exclusive,
            _ => 0,
        };
        string path = Path.Combine(root, name);
        PlainFile? file = PlainFile.Open(path, flags, out Errno error);
        return new ValueTask<Result<IDiskFile>>(file is null ? error : Results.Of<IDiskFile>(new RealFile(this, file)));
    }

    /// <inheritdoc/>
    public ValueTask<Errno> CreateDirectory(string name) => new(Guard(() => Directory.CreateDirectory(Path.Combine(root, name))));

    /// <inheritdoc/>
    public ValueTask<Errno> Rename(string from, string to) =>
        new(Libc.Rename(Path.Combine(root, from), Path.Combine(root, to)) < 0 ? Libc.LastErrno : Errnos.Ok);

    /// <inheritdoc/>
    public ValueTask<Errno> Delete(string name) =>
        new(Libc.Unlink(Path.Combine(root, name)) < 0 ? Libc.LastErrno : Errnos.Ok);

    /// <inheritdoc/>
    public ValueTask<Result<IReadOnlyList<string>>> List(string directory)
    {
        IReadOnlyList<string> names = [];
        string path = Path.Combine(root, directory);
        Errno error = Guard(() => names = [.. Directory.EnumerateFiles(path).Select(file => Path.GetFileName(file)).Order(StringComparer.Ordinal)]);
        return new ValueTask<Result<IReadOnlyList<string>>>(error == Errnos.Ok ? Results.Of(names) : error);
    }

    /// <inheritdoc/>
    public async ValueTask<Errno> SyncDirectory(string directory)
    {
        using PlainFile? file = PlainFile.Open(Path.Combine(root, directory), FileFlags.Directory, out Errno error);
        if (file is null)
        {
            return error;
        }

        DiskJob job = Rent();
        short token = job.Begin(null, _ => Libc.Fsync(file) < 0 ? Libc.LastErrno : 0, 0, 0, default);
        workers.Run(job);
        return await new ValueTask<Errno>(job, token);
    }

    /// <inheritdoc/>
    public ValueTask<Errno> SyncAll()
    {
        if (_root is not { } opened)
        {
            return new ValueTask<Errno>(Errno.EBADF);
        }

        DiskJob job = Rent();
        short token = job.Begin(null, _ => Libc.Syncfs(opened) < 0 ? Libc.LastErrno : 0, 0, 0, default);
        workers.Run(job);
        return new ValueTask<Errno>(job, token);
    }

    /// <inheritdoc/>
    public Result<DiskSpace> Space() =>
        _root is null ? Errno.EBADF : _root.TrySpace(out long total, out long free, out long files) ? new DiskSpace(total, free, files) : Libc.LastErrno;

    internal DiskJob Rent() => _jobs.TryPop(out DiskJob? job) ? job : new DiskJob(loop, _jobs);

    private static Errno Guard(Action action)
    {
        try
        {
            action();
            return Errnos.Ok;
        }
        catch (DirectoryNotFoundException)
        {
            return Errno.ENOENT;
        }
        catch (UnauthorizedAccessException)
        {
            return Errno.EACCES;
        }
        catch (IOException)
        {
            return Errno.EIO;
        }
    }
}
