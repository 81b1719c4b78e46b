using Google.Protobuf;
using Harness.Cluster.Metadata;
using Harness.Cluster.Wire;
using Harness.Simulation.Chance;
using Harness.Tests.Experiments.Backends;
using Mono.Unix.Native;

namespace Harness.Tests.Cluster.Metadata;

public sealed class SnapshotTests
{
    private const int Commands = 600;

    [Fact]
    public void ASnapshotIsTheStateAsItWasWhenItBeganWhateverCommandsRunMeanwhile() => RandomRun.WithSeed(seed =>
    {
        var random = new SimRandom(seed);
        MetadataState state = NewState();
        for (int i = 0; i < Commands; i++)
        {
            state.Apply(RandomCommand(random, i));
        }

        string before = Dump(state);
        List<byte[]> records = [];
        var snapshot = new SnapshotWriter(state, 1, record => records.Add(record.ToByteArray()));
        for (int i = 0; i < Commands; i++)
        {
            Command command = RandomCommand(random, Commands + i);
            snapshot.Before(command);
            state.Apply(command);
            if (i % 100 == 99)
            {
                snapshot.Step();
            }
        }

        while (snapshot.Step())
        {
        }

        var loaded = new MetadataState(state.Limits);
        foreach (byte[] record in records)
        {
            loaded.Load(SnapshotRecord.Parser.ParseFrom(record));
        }

        Assert.Equal(before, Dump(loaded));
        Assert.NotEqual(before, Dump(state));
    });

    [Fact]
    public void TheSameCommandsGiveTheSameState() => RandomRun.WithSeed(seed =>
    {
        MetadataState one = NewState();
        MetadataState other = NewState();
        (var first, var second) = (new SimRandom(seed), new SimRandom(seed));
        for (int i = 0; i < Commands; i++)
        {
            Assert.Equal(one.Apply(RandomCommand(first, i)), other.Apply(RandomCommand(second, i)));
        }

        Assert.Equal(Dump(one), Dump(other));
    });

    [Fact]
    public void OfSeveralFilesInOneCommandOnlyTheOneThatIsNotThereIsRefused()
    {
        MetadataState state = NewState();
        ulong[] files = [.. Enumerable.Range(0, 2).Select(i => state.Apply(new Command
        {
            Session = 1,
            Make = new Make { Parent = 1, Name = ByteString.CopyFromUtf8($"n{i}"), Mode = (uint)FilePermissions.S_IFREG | 0x1A4 },
        }).Attributes.Inode)];
        var allocate = new AllocateAll();
        allocate.Files.AddRange(new[] { files[0], 0ul, files[1] }.Select(static inode =>
            new AllocateChunks { Inode = inode, Placements = { new Placement { Servers = { 1, 2, 3 } } } }));
        Outcome outcome = state.Apply(new Command { Session = 1, AllocateAll = allocate });
        Assert.Equal($"0 {(uint)Errno.ESTALE} 0", string.Join(' ', outcome.Parts.Select(static part => part.Errno)));
        Assert.Equal(2, state.ChunkCount);
        Assert.NotEqual(outcome.Parts[0].Chunks[0].Chunk, outcome.Parts[2].Chunks[0].Chunk);

        var wrote = new WroteAll { Files = { new Wrote { Inode = files[0], Size = 5 }, new Wrote { Size = 6 }, new Wrote { Inode = files[1], Size = 7 } } };
        outcome = state.Apply(new Command { Session = 1, WroteAll = wrote });
        Assert.Equal($"0 {(uint)Errno.ESTALE} 0", string.Join(' ', outcome.Parts.Select(static part => part.Errno)));
        Assert.Equal("5 7", string.Join(' ', files.Select(file => state.AttributesOf(file)!.Size)));
    }

    private static MetadataState NewState()
    {
        var state = new MetadataState(new MetadataLimits { ChunkBytes = 4096 });
        state.Apply(new Command { StartTerm = new StartTerm { Term = 1, Cluster = 1, RootMode = 0x1FF } });
        state.Apply(new Command { OpenSession = new OpenSession { Name = "test" } });
        return state;
    }

    private static Command RandomCommand(SimRandom random, int time)
    {
        ulong Inode() => (ulong)random.Next(1, 150);
        AllocateChunks Allocation() =>
            new() { Inode = Inode(), Placements = { new Placement { Index = (ulong)random.Next(5), Servers = { 1, 2, 3 } } } };
        ByteString name = ByteString.CopyFromUtf8($"n{random.Next(30)}");
        var command = new Command { TimeNanos = time, Session = 1 };
        switch (random.Next(13))
        {
            case 10:
                command.AllocateAll = new AllocateAll { Files = { Allocation(), Allocation() } };
                break;
            case 11:
                command.WroteAll = new WroteAll { Files = { new Wrote { Inode = Inode(), Size = 7 }, new Wrote { Inode = Inode(), Mtime = time } } };
                break;
            case 12:
                command.Release = new Release { Inodes = { Inode(), Inode(), Inode() } };
                break;
            case 0 or 1 or 2:
                uint type = (uint)(random.Chance(0.4) ? FilePermissions.S_IFDIR : FilePermissions.S_IFREG);
                command.Make = new Make { Parent = random.Chance(0.5) ? 1 : Inode(), Name = name, Mode = type | 0x1A4 };
                break;
            case 3:
                command.Unlink = new Unlink { Parent = Inode(), Name = name, Directory = random.Chance(0.3) };
                command.Unlink.Holders.Add(1);
                break;
            case 4:
                command.Rename = new Rename { Parent = Inode(), Name = name, NewParent = Inode(), NewName = ByteString.CopyFromUtf8($"m{random.Next(30)}") };
                break;
            case 5:
                command.Link = new Link { Inode = Inode(), Parent = Inode(), Name = name };
                break;
            case 6:
                command.SetXattr = new SetXattr { Inode = Inode(), Name = ByteString.CopyFromUtf8("user.a"), Value = name };
                break;
            case 7:
                command.AllocateChunks = new AllocateChunks { Inode = Inode() };
                command.AllocateChunks.Placements.Add(new Placement { Index = (ulong)random.Next(5), Servers = { 1, 2, 3 } });
                break;
            case 8:
                command.SetAttributes = new SetAttributes { Inode = Inode(), Size = (ulong)random.Next(20_000) };
                break;
            default:
                command.Hold = new Hold { Inode = Inode() };
                break;
        }

        return command;
    }

    /// <summary>Everything in the state, as text.</summary>
    private static string Dump(MetadataState state)
    {
        IEnumerable<SnapshotRecord> all = state.CommonRecords(1).Concat(
            Enumerable.Range(1, (int)state.NextInode).SelectMany(inode => state.RecordsOf((ulong)inode)));
        return string.Join('\n', all.Select(static record => record.ToString()));
    }
}
