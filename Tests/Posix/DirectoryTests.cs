using Harness.Runtime.Native;
using Harness.Tests.Mounts;
using Mono.Unix.Native;
using static Harness.Tests.Mounts.Posix;

namespace Harness.Tests.Posix;

public sealed class DirectoriesInMemory(MemoryMount mount) : DirectoryTests<MemoryMount>(mount);

public sealed class DirectoriesOnCluster(ClusterMount mount) : DirectoryTests<ClusterMount>(mount);

public sealed class DirectoriesInPassthrough(PassthroughMount mount) : DirectoryTests<PassthroughMount>(mount);

/// <summary>Listing directories, large ones, and while they change.</summary>
public abstract class DirectoryTests<TMount>(TMount mount) : IClassFixture<TMount>
    where TMount : MountFixture
{
    private const int SeekSet = 0;

    [RealMountFact]
    public void TenThousandFilesAreListedFoundAndRemoved()
    {
        const int Count = 10_000;
        string directory = mount.NewDirectory();
        for (int i = 0; i < Count; i++)
        {
            Ok(Mknod(Path.Combine(directory, $"file-{i}"), (uint)FilePermissions.S_IFREG | 0x1A4));
        }

        List<string> names = List(directory);
        Assert.Equal(Count, names.Count);
        Assert.Equal(Count, names.Distinct().Count());
        for (int i = 0; i < Count; i += 97)
        {
            Ok(TryStat(Path.Combine(directory, $"file-{i}"), out _));
        }

        for (int i = 0; i < Count; i += 2)
        {
            Ok(Unlink(Path.Combine(directory, $"file-{i}")));
        }

        names = List(directory);
        Assert.Equal(Enumerable.Range(0, Count / 2).Select(i => $"file-{(2 * i) + 1}").Order(), names.Order());

        // As rm(1) does: what was listed goes, until nothing is listed.
        foreach (string name in names)
        {
            Ok(Unlink(Path.Combine(directory, name)));
        }

        Assert.Empty(List(directory));
        Ok(Rmdir(directory));
    }

    [RealMountFact]
    public void WhatStaysIsListedOnceWhateverComesAndGoesMeanwhile()
    {
        const int Stable = 300;
        string directory = mount.NewDirectory();
        for (int i = 0; i < Stable; i++)
        {
            Write(Path.Combine(directory, $"stable-{i}"));
        }

        using var stop = new CancellationTokenSource();
        var churn = new Thread(() =>
        {
            for (int i = 0; !stop.IsCancellationRequested; i = (i + 1) % 400)
            {
                Write(Path.Combine(directory, $"fleeting-{i}"));
                if (i % 3 == 0)
                {
                    Ok(Rename(Path.Combine(directory, $"fleeting-{i}"), Path.Combine(directory, $"renamed-{i}")));
                    Ok(Unlink(Path.Combine(directory, $"renamed-{i}")));
                }
                else
                {
                    Ok(Unlink(Path.Combine(directory, $"fleeting-{i}")));
                }
            }
        });
        churn.Start();
        try
        {
            for (int round = 0; round < 40; round++)
            {
                using OpenedFile open = Open(directory, ReadOnly | FileFlags.Directory);
                string[] stable = [.. open.ReadDirectory(round % 2 == 0 ? 32768 : 600).Where(name => name.StartsWith("stable-", StringComparison.Ordinal))];
                Assert.Equal(Stable, stable.Length);
                Assert.Equal(Stable, stable.Distinct().Count());
            }
        }
        finally
        {
            stop.Cancel();
            churn.Join();
        }
    }

    [RealMountTheory]
    [InlineData(300)]
    [InlineData(1000)]
    [InlineData(4096)]
    [InlineData(1 << 20)]
    public void ListingIsTheSameWithBuffersOfAnySize(int bufferBytes)
    {
        string directory = mount.NewDirectory();
        string[] names = [.. Enumerable.Range(0, 200).Select(i => $"{i}-{new string('n', i)}")];
        foreach (string name in names)
        {
            Write(Path.Combine(directory, name));
        }

        using OpenedFile open = Open(directory, ReadOnly | FileFlags.Directory);
        Assert.Equal([".", "..", .. names.Order(StringComparer.Ordinal)], open.ReadDirectory(bufferBytes).Order(StringComparer.Ordinal));
    }

    [RealMountFact]
    public void ListingGoesOnFromAnyPlaceThatWasTold()
    {
        string directory = mount.NewDirectory();
        for (int i = 0; i < 150; i++)
        {
            Write(Path.Combine(directory, $"name-{i}"));
        }

        using OpenedFile open = Open(directory, ReadOnly | FileFlags.Directory);
        var all = new List<DirectoryRecord>();
        while (open.ReadRecords(2000) is { Count: > 0 } some)
        {
            all.AddRange(some);
        }

        for (int i = 0; i < all.Count; i += 17)
        {
            Assert.Equal(all[i].Offset, open.Seek(all[i].Offset, SeekSet));
            Assert.Equal(all.Skip(i + 1).Select(record => record.Name), open.ReadDirectory(700));
        }

        Assert.Equal(0, open.Seek(0, SeekSet));
        Assert.Equal(all.Select(record => record.Name), open.ReadDirectory());
    }

    [RealMountFact]
    public void RewoundListingShowsWhatHasChanged()
    {
        string directory = mount.NewDirectory();
        Write(Path.Combine(directory, "old"));
        using OpenedFile open = Open(directory, ReadOnly | FileFlags.Directory);
        Assert.Contains("old", open.ReadDirectory());
        Ok(Unlink(Path.Combine(directory, "old")));
        Write(Path.Combine(directory, "new"));
        Assert.Equal(0, open.Seek(0, SeekSet));
        List<string> names = open.ReadDirectory();
        Assert.Contains("new", names);
        Assert.DoesNotContain("old", names);
    }

    [RealMountFact]
    public void ListingTellsTypesAndNumbersAsStatDoes()
    {
        string directory = mount.NewDirectory();
        Write(Path.Combine(directory, "file"));
        Ok(Mkdir(Path.Combine(directory, "directory")));
        Ok(Symlink("x", Path.Combine(directory, "link")));
        Ok(Mknod(Path.Combine(directory, "fifo"), (uint)FilePermissions.S_IFIFO));
        Ok(Mknod(Path.Combine(directory, "socket"), (uint)FilePermissions.S_IFSOCK));
        Ok(Mknod(Path.Combine(directory, "device"), (uint)FilePermissions.S_IFCHR, 0x103));
        Ok(Link(Path.Combine(directory, "file"), Path.Combine(directory, "again")));
        using OpenedFile open = Open(directory, ReadOnly | FileFlags.Directory);
        List<DirectoryRecord> records = open.ReadRecords();
        Assert.Equal(9, records.Count);
        foreach (DirectoryRecord record in records)
        {
            FileStatus status = Stat(Path.Combine(directory, record.Name));
            Assert.Equal((uint)(status.Mode >> 12), record.Type);
            Assert.Equal(status.Ino, record.Ino);
        }
    }

    [RealMountFact]
    public void DirectoriesNestDeeply()
    {
        string path = mount.NewDirectory();
        string top = path;
        for (int i = 0; i < 200; i++)
        {
            path = Path.Combine(path, $"{i}");
            Ok(Mkdir(path));
        }

        Write(Path.Combine(path, "f"), "deep");
        Assert.Equal("deep", Read(Path.Combine(path, "f")));
        string up = Path.Combine(path, string.Join('/', Enumerable.Repeat("..", 200)));
        Assert.Equal(Stat(top).Ino, Stat(up).Ino);
        Programs.Run(top, "rm", "-r", "0");
        Assert.Empty(List(top));
    }

    [RealMountFact]
    public void SeveralListingsOfADirectoryDoNotDisturbEachOther()
    {
        string directory = mount.NewDirectory();
        for (int i = 0; i < 300; i++)
        {
            Write(Path.Combine(directory, $"name-{i}"));
        }

        Task<List<string>>[] listings = [.. Enumerable.Range(0, 4).Select(i => Task.Factory.StartNew(
            () => Enumerable.Range(0, 10).SelectMany(_ => List(directory)).ToList(),
            CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default))];
        Task.WaitAll(listings);
        Assert.All(listings, listing => Assert.All(
            listing.Result.GroupBy(name => name), group => Assert.Equal(10, group.Count())));
        Assert.All(listings, listing => Assert.Equal(3000, listing.Result.Count));
    }
}
