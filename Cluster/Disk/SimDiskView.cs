using Harness.FuseProtocol;
using Harness.Simulation.Scheduling;
using Mono.Unix.Native;

namespace Harness.Cluster.Disk;

/// <summary>The simulated side of <see cref="IDisk"/>.</summary>
internal sealed class SimDiskView(SimDisk disk, SimLoop loop) : IDisk
{
    /// <inheritdoc/>
    public ValueTask<Result<IDiskFile>> Open(string name, OpenMode mode)
    {
        bool there = disk.Names.TryGetValue(name, out SimInode? inode);
        if (mode == OpenMode.Existing && !there)
        {
            return After<Result<IDiskFile>>(disk.Options.CachedNanoseconds, Errno.ENOENT);
        }

        if (mode == OpenMode.CreateNew && there)
        {
            return After<Result<IDiskFile>>(disk.Options.CachedNanoseconds, Errno.EEXIST);
        }

        if (inode is null && disk.Names.Count >= disk.Options.FilesMax)
        {
            return After<Result<IDiskFile>>(disk.Options.CachedNanoseconds, Errno.ENOSPC);
        }

        if (inode is null)
        {
            disk.Names[name] = inode = new SimInode();
            disk.NamesChanged();
        }

        return After(disk.Options.CachedNanoseconds, Results.Of<IDiskFile>(new SimFile(this, inode)));
    }

    /// <inheritdoc/>
    public ValueTask<Errno> CreateDirectory(string name) => After(disk.Options.CachedNanoseconds, Errnos.Ok);

    /// <inheritdoc/>
    public ValueTask<Errno> Rename(string from, string to)
    {
        if (!disk.Names.Remove(from, out SimInode? inode))
        {
            return After(disk.Options.CachedNanoseconds, Errno.ENOENT);
        }

        disk.Names[to] = inode;
        disk.NamesChanged();
        return After(disk.Options.CachedNanoseconds, Errnos.Ok);
    }

    /// <inheritdoc/>
    public ValueTask<Errno> Delete(string name)
    {
        bool there = disk.Names.Remove(name);
        disk.NamesChanged();
        return After(disk.Options.CachedNanoseconds, there ? Errnos.Ok : Errno.ENOENT);
    }

    /// <inheritdoc/>
    public ValueTask<Result<IReadOnlyList<string>>> List(string directory)
    {
        string prefix = directory.Length == 0 ? string.Empty : directory + "/";
        IReadOnlyList<string> names =
        [
            .. disk.Names.Keys.Where(name => name.StartsWith(prefix, StringComparison.Ordinal))
                .Select(name => name[prefix.Length..])
                .Where(name => !name.Contains('/', StringComparison.Ordinal)),
        ];
        return After(disk.Options.CachedNanoseconds, Results.Of(names));
    }

    /// <inheritdoc/>
    public async ValueTask<Errno> SyncDirectory(string directory)
    {
        await Until(disk.Occupy(disk.Options.SyncNanoseconds, 0), 0);
        disk.CommitNames();
        return Errnos.Ok;
    }

    /// <inheritdoc/>
    public async ValueTask<Errno> SyncAll()
    {
        SimInode[] all = [.. disk.Names.Values];
        await Until(disk.Occupy(disk.Options.SyncNanoseconds, all.Sum(inode => inode.BytesDirty)), 0);
        if (disk.Random.Chance(disk.Options.ErrorChance))
        {
            return Errno.EIO;
        }

        foreach (SimInode inode in all)
        {
            inode.Sync();
        }

        disk.CommitNames();
        return Errnos.Ok;
    }

    /// <inheritdoc/>
    public Result<DiskSpace> Space() => new DiskSpace(
        disk.Options.CapacityBytes, Math.Max(0, disk.Options.CapacityBytes - disk.BytesUsed), Math.Max(0, disk.Options.FilesMax - disk.Names.Count));

    private ValueTask<T> After<T>(long nanoseconds, T result) => Until(disk.World.NowNanoseconds + nanoseconds, result);

    /// <summary>A task that ends on the loop at the world's time <paramref name="due"/>, unless the process is gone by then.</summary>
    private ValueTask<T> Until<T>(long due, T result)
    {
        var done = new TaskCompletionSource<T>();
        disk.World.Schedule(
            Math.Max(due, loop.ChargedUntilWorldNanoseconds),
            SimDisk.Event,
            0,
            _ =>
            {
                if (!loop.IsStopped)
                {
                    loop.Post(_ => done.SetResult(result), null);
                }
            },
            null);
        return new ValueTask<T>(done.Task);
    }

    private sealed class SimFile(SimDiskView view, SimInode inode) : IDiskFile
    {
        private readonly SimDisk _disk = view.Disk;

        public long Length => inode.Length;

        public async ValueTask<Result<int>> Read(long offset, Memory<byte> buffer)
        {
            bool misses = _disk.Random.Chance(_disk.Options.MissChance);
            SimDiskOptions options = _disk.Options;
            long due = misses ? _disk.Occupy(options.ReadNanoseconds, buffer.Length) : _disk.World.NowNanoseconds + options.CachedNanoseconds;
            await view.Until(due, 0);
            if (_disk.Random.Chance(options.ErrorChance))
            {
                return Errno.EIO;
            }

            return inode.Read(offset, buffer.Span);
        }

        public ValueTask<Errno> Write(long offset, ReadOnlyMemory<byte> data) => Write(offset, data, default);

        public ValueTask<Errno> Write(long offset, ReadOnlyMemory<byte> first, ReadOnlyMemory<byte> second)
        {
            SimDiskOptions options = _disk.Options;
            if (_disk.Random.Chance(options.ErrorChance))
            {
                return view.After(options.CachedNanoseconds, Errno.EIO);
            }

            if (_disk.BytesUsed + inode.BytesToAdd(offset, first.Length + second.Length) > options.CapacityBytes)
            {
                return view.After(options.CachedNanoseconds, Errno.ENOSPC);
            }

            if (!_disk.Random.Chance(options.LostWriteChance))
            {
                inode.Write(offset, first.Span);
                inode.Write(offset + first.Length, second.Span);
            }

            return view.After(options.CachedNanoseconds, Errnos.Ok);
        }

        public ValueTask<Errno> WriteUncached(long offset, ReadOnlyMemory<byte> data) => Write(offset, data);

        public async ValueTask<Errno> Sync()
        {
            await view.Until(_disk.Occupy(_disk.Options.SyncNanoseconds, inode.BytesDirty), 0);
            if (_disk.Random.Chance(_disk.Options.ErrorChance))
            {
                return Errno.EIO;
            }

            // Later than it was asked for, as on a real disk: what was written meanwhile may go with it.
            inode.Sync();
            return Errnos.Ok;
        }

        public ValueTask<Errno> Truncate(long length)
        {
            inode.Truncate(length);
            return view.After(_disk.Options.CachedNanoseconds, Errnos.Ok);
        }

        public ValueTask<Errno> PunchHole(long offset, long length)
        {
            inode.Zero(offset, Math.Min(length, Math.Max(0, inode.Length - offset)));
            return view.After(_disk.Options.CachedNanoseconds, Errnos.Ok);
        }

        public void Dispose()
        {
        }
    }

    private SimDisk Disk => disk;
}
