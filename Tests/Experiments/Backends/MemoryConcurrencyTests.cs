using System.Buffers.Binary;
using Harness.Experiments.Backends.Memory;
using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;
using Harness.Tests.Experiments.Backends.Models;
using Mono.Unix.Native;

namespace Harness.Tests.Experiments.Backends;

/// <summary>Many threads at once, each with its own seed; what must hold afterwards, and meanwhile.</summary>
public sealed class MemoryConcurrencyTests : IDisposable
{
    private const ulong Root = FileSystemClient.Root;
    private const int Threads = 6;

    private readonly MemoryFileSystem _fileSystem = MemoryBackend.Make(
        new MemoryOptions { CapacityBytes = MemoryBackend.CapacityBytes }, TimeProvider.System);

    public void Dispose() => _fileSystem.Dispose();

    [Fact]
    public void TheTreeStaysWellFormed() => RandomRun.WithSeed(seed =>
    {
        var fs = new FileSystemClient(_fileSystem);
        Kstatfs before = fs.Statfs();
        string[] names = ["a", "b", "c", "d"];
        ulong[] directories = [Root, .. names.Select(name => fs.Mkdir(Root, name).Ok().Nodeid)];
        InParallel(seed, (random, own) =>
        {
            ulong Directory() => directories[random.Next(directories.Length)];
            string Name() => names[random.Next(names.Length)];
            for (int i = 0; i < 3000; i++)
            {
                DoSomething(own, random, Directory(), Name(), Directory(), Name());
            }

            own.ForgetAll();
        });
        AssertWellFormed(fs, Root, Root);
        fs.RemoveAll();
        fs.ForgetAll();
        Assert.Equal((before.Bfree, before.Ffree), (fs.Statfs().Bfree, fs.Statfs().Ffree));
    });

    [Fact]
    public void WritersOfDifferentPartsOfAFileDoNotDisturbEachOther() => RandomRun.WithSeed(seed =>
    {
        const int BlockBytes = 1000;
        const int Blocks = 2000;
        ulong file = new FileSystemClient(_fileSystem).Create(Root, "file").Ok().Entry.Nodeid;
        int next = -1;
        InParallel(seed, (random, own) =>
        {
            for (int block = Interlocked.Increment(ref next); block < Blocks; block = Interlocked.Increment(ref next))
            {
                // From the back to the front in groups, so that writers meet in pages and leaves that are not there yet.
                int place = (block & ~15) | (15 - (block & 15));
                own.Write(file, (ulong)(place * BlockBytes), [.. Enumerable.Repeat((byte)place, BlockBytes)]).Ok();
            }
        });
        var fs = new FileSystemClient(_fileSystem);
        byte[] expected = [.. Enumerable.Range(0, Blocks).SelectMany(place => Enumerable.Repeat((byte)place, BlockBytes))];
        Assert.Equal(expected, fs.Read(file, 0, expected.Length + 1).Ok());
        Assert.Equal((ulong)(expected.Length + 4095) / 4096 * 8, fs.Getattr(file).Ok().Blocks);
    });

    [Fact]
    public void EachAppendFindsItsOwnPlace() => RandomRun.WithSeed(seed =>
    {
        const int RecordBytes = 24;
        const int RecordsOfThread = 500;
        ulong file = new FileSystemClient(_fileSystem).Create(Root, "file").Ok().Entry.Nodeid;
        int writer = 0;
        InParallel(seed, (random, own) =>
        {
            int me = Interlocked.Increment(ref writer);
            for (int i = 0; i < RecordsOfThread; i++)
            {
                byte[] record = new byte[RecordBytes];
                for (int at = 0; at < RecordBytes; at += sizeof(int))
                {
                    BinaryPrimitives.WriteInt32LittleEndian(record.AsSpan(at), (me * RecordsOfThread) + i);
                }

                own.Write(file, 0, record, OpenFlags.O_WRONLY | OpenFlags.O_APPEND).Ok();
            }
        });
        byte[] all = new FileSystemClient(_fileSystem).Read(file, 0, 1 << 20).Ok();
        int[][] records = [.. all.Chunk(RecordBytes).Select(record =>
            record.Chunk(sizeof(int)).Select(bytes => BinaryPrimitives.ReadInt32LittleEndian(bytes)).Distinct().ToArray())];
        Assert.All(records, record => Assert.Single(record));
        Assert.Equal(Enumerable.Range(RecordsOfThread, Threads * RecordsOfThread), records.Select(record => record[0]).Order());
    });

    [Fact]
    public void AReaderNeverSeesAnotherFilesData() => RandomRun.WithSeed(seed =>
    {
        var fs = new FileSystemClient(_fileSystem);
        ulong[] files = [.. Enumerable.Range(0, 4).Select(i => fs.Create(Root, $"file-{i}").Ok().Entry.Nodeid)];
        FallocateMode[] modes =
        [
            FallocateMode.PunchHole | FallocateMode.KeepSize, FallocateMode.ZeroRange, FallocateMode.CollapseRange, FallocateMode.InsertRange,
        ];
        InParallel(seed, (random, own) =>
        {
            for (int i = 0; i < 1500; i++)
            {
                int which = random.Next(files.Length);
                ulong offset = (ulong)random.Next(60) * 4096;
                switch (random.Next(6))
                {
                    case 0:
                        own.Truncate(files[which], (ulong)random.Next(200_000)).Ok();
                        break;
                    case 1:
                        own.Fallocate(files[which], modes[random.Next(modes.Length)], offset, 4096ul * (ulong)random.Next(1, 8));
                        break;
                    case < 4:
                        byte[] data = [.. Enumerable.Repeat((byte)(which + 1), random.Next(1, 40_000))];
                        own.Write(files[which], offset + (ulong)random.Next(4096), data).Ok();
                        break;
                    default:
                        byte[] read = own.Read(files[which], offset, 100_000).Ok();
                        Assert.True(!read.AsSpan().ContainsAnyExcept((byte)0, (byte)(which + 1)), $"file {which} shows another's data");
                        break;
                }
            }
        });
        fs.RemoveAll();
        fs.ForgetAll();
        Assert.Equal(fs.Statfs().Blocks, fs.Statfs().Bfree);
    });

    [Fact]
    public void ListingsAreCompleteWhileOthersComeAndGo() => RandomRun.WithSeed(seed =>
    {
        var fs = new FileSystemClient(_fileSystem);
        string[] stay = [.. Enumerable.Range(0, 50).Select(i => $"stay-{i:00}")];
        foreach (string name in stay)
        {
            fs.Create(Root, name).Ok();
        }

        InParallel(seed, (random, own) =>
        {
            string mine = $"go-{random.Next()}-";
            for (int i = 0; i < 150; i++)
            {
                own.Create(Root, mine + i).Ok();
                List<string> listed = own.List(Root, random.Next(200, 2000), plus: random.Next(2) == 0);
                Assert.Equal(stay, listed.Where(name => name.StartsWith("stay-", StringComparison.Ordinal)).Order());
                Assert.Equal(listed.Count, listed.Distinct().Count());
                own.Unlink(Root, mine + i).Ok();
            }
        });
        Assert.Equal(stay, fs.List(Root).Order());
    });

    private static void DoSomething(FileSystemClient fs, Random random, ulong directory, string name, ulong other, string otherName)
    {
        Result<EntryOut> found = default;
        switch (random.Next(9))
        {
            case 0:
                fs.Create(directory, name);
                break;
            case 1:
                fs.Unlink(directory, name);
                break;
            case 2:
                fs.Mkdir(directory, name);
                break;
            case 3:
                fs.Rmdir(directory, name);
                break;
            case 4:
                fs.Rename(directory, name, other, otherName, (RenameFlags)random.Next(3));
                break;
            case 5:
                found = fs.Lookup(directory, name);
                _ = found.IsOk ? fs.Link(found.Value.Nodeid, other, otherName).Error : found.Error;
                break;
            case 6:
                found = fs.Lookup(directory, name);
                _ = found.IsOk ? fs.Setxattr(found.Value.Nodeid, "user.name", new byte[random.Next(10_000)]) : found.Error;
                break;
            case 7:
                fs.Rename(directory, name, other, otherName);
                break;
            default:
                fs.ForgetAll();
                break;
        }
    }

    /// <summary>Checks that names, parents and link counts agree all the way down.</summary>
    private static void AssertWellFormed(FileSystemClient fs, ulong root, ulong parent)
    {
        var names = new Dictionary<ulong, uint>();
        Check(root, parent);
        Assert.All(names, one => Assert.Equal(one.Value, fs.Getattr(one.Key).Ok().Nlink));

        void Check(ulong directory, ulong above)
        {
            uint inner = 0;
            List<Listed> listed = fs.ListAll(directory, plus: true);
            Assert.Equal(above, listed.Single(one => one.Name == "..").Ino);
            foreach (Listed one in listed.Where(one => one.Name is not ("." or "..")))
            {
                Assert.Equal(one.Ino, fs.Lookup(directory, one.Name).Ok().Nodeid);
                if (FileSystemView.IsDirectory(one.Entry.Attr))
                {
                    inner++;
                    Check(one.Ino, directory);
                }
                else
                {
                    names[one.Ino] = names.GetValueOrDefault(one.Ino) + 1;
                }
            }

            Assert.Equal(2 + inner, fs.Getattr(directory).Ok().Nlink);
        }
    }

    private void InParallel(ulong seed, Action<Random, FileSystemClient> act) => Parallel.For(
        0,
        Threads,
        new ParallelOptions { MaxDegreeOfParallelism = Threads },
        i => act(new Random((int)(seed >> 1) + i), new FileSystemClient(_fileSystem)));
}
