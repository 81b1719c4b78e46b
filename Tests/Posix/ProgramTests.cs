using Harness.Tests.Mounts;
using static Harness.Tests.Mounts.Posix;

namespace Harness.Tests.Posix;

public sealed class ProgramsOnMemory(MemoryMount mount) : ProgramTests<MemoryMount>(mount);

public sealed class ProgramsOnCluster(ClusterMount mount) : ProgramTests<ClusterMount>(mount);

public sealed class ProgramsOnWritebackMemory(WritebackMemoryMount mount) : ProgramTests<WritebackMemoryMount>(mount);

public sealed class ProgramsOnPassthrough(PassthroughMount mount) : ProgramTests<PassthroughMount>(mount);

public sealed class ProgramsOnWritebackPassthrough(WritebackPassthroughMount mount) : ProgramTests<WritebackPassthroughMount>(mount);

public sealed class ProgramsOnKernelPassthrough(KernelPassthroughMount mount) : ProgramTests<KernelPassthroughMount>(mount);

/// <summary>What people do with a file system.</summary>
public abstract class ProgramTests<TMount>(TMount mount) : IClassFixture<TMount>
    where TMount : MountFixture
{
    private const string Describe = "find . -printf '%P %y %m %U %G %s %n %l %T@\\n' | grep -v ' d ' | sort; find . -type f -exec cksum {} + | sort";

    [RealMountTheory("fio")]
    [InlineData("psync", 0)]
    [InlineData("psync", 1)]
    [InlineData("libaio", 1)]
    public void RandomWritesOfFioVerify(string engine, int direct) => Programs.Run(
        mount.NewDirectory(), "fio", "--name=verify", "--filename=f", "--rw=randwrite", "--bsrange=512-64k", "--blockalign=512", "--size=6m",
        $"--ioengine={engine}", $"--direct={direct}", "--iodepth=16", "--verify=crc32c", "--do_verify=1", "--verify_fatal=1", "--thread", "--minimal");

    [RealMountFact("cp")]
    public void TreeIsCopiedWithAllItsAttributes()
    {
        string directory = mount.NewDirectory();
        MakeTree(Path.Combine(directory, "tree"));
        Programs.Run(directory, "cp", "-a", "tree", "copy");
        Assert.Equal(Shell(directory, "tree"), Shell(directory, "copy"));
        Programs.Run(directory, "cp", "-r", "--sparse=always", "tree", "again");
        Programs.Run(directory, "diff", "-r", "--no-dereference", "tree", "again");
    }

    [RealMountFact("tar")]
    public void TreeGoesThroughAnArchive()
    {
        string directory = mount.NewDirectory();
        MakeTree(Path.Combine(directory, "tree"));
        Programs.Run(directory, "tar", "--format=pax", "-cf", "archive.tar", "tree");
        Ok(Mkdir(Path.Combine(directory, "out")));
        Programs.Run(directory, "tar", "-xpf", "archive.tar", "-C", "out");
        Assert.Equal(Shell(directory, "tree"), Shell(directory, "out/tree"));
        Programs.Run(directory, "rm", "-r", "tree", "out");
        Assert.Equal(["archive.tar"], List(directory));
    }

    [RealMountFact("git")]
    public void RepositoryIsCommittedClonedAndSound()
    {
        string directory = mount.NewDirectory();
        string origin = Path.Combine(directory, "origin");
        MakeTree(origin);
        string[] identity = ["-c", "user.name=Test", "-c", "user.email=test@localhost", "-c", "safe.directory=*"];
        Programs.Run(origin, "git", "init", "--quiet");
        Programs.Run(origin, "git", [.. identity, "add", "-A"]);
        Programs.Run(origin, "git", [.. identity, "commit", "--quiet", "-m", "all"]);
        Programs.Run(origin, "git", [.. identity, "gc", "--quiet"]);
        Programs.Run(directory, "git", [.. identity, "clone", "--quiet", "--no-local", origin, "clone"]);
        Programs.Run(Path.Combine(directory, "clone"), "git", [.. identity, "fsck", "--strict"]);
        Assert.Empty(Programs.Run(Path.Combine(directory, "clone"), "git", [.. identity, "status", "--porcelain"]));
        Programs.Run(directory, "diff", "-r", "--no-dereference", "--exclude=.git", "--exclude=empty", "origin", "clone");
    }

    [RealMountTheory("sqlite3")]
    [InlineData("delete")]
    [InlineData("wal")]
    public void DatabaseKeepsWhatWasCommitted(string journal)
    {
        string directory = mount.NewDirectory();
        Programs.Run(
            directory, "sqlite3", "db", $"pragma journal_mode={journal}; create table t(i integer primary key, x blob); begin; " +
            "with recursive n(i) as (select 1 union all select i+1 from n where i<2000) insert into t select i, randomblob(300) from n; commit;");
        Task[] writers = [.. Enumerable.Range(0, 3).Select(number => Task.Factory.StartNew(
            () => Programs.Run(
                directory, "sqlite3", "-cmd", ".timeout 20000", "db",
                string.Concat(Enumerable.Range(0, 10).Select(i => $"insert into t values({10_000 + (number * 100) + i}, 'x');"))),
            CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default))];
        Task.WaitAll(writers);
        Assert.Equal("ok\n2030\n", Programs.Run(directory, "sqlite3", "db", "pragma integrity_check; select count(*) from t;"));
    }

    private static void MakeTree(string root)
    {
        Ok(Mkdir(root));
        var random = new Random(17);
        for (int i = 0; i < 60; i++)
        {
            string directory = Path.Combine(root, $"d{i % 7}");
            Directory.CreateDirectory(directory);
            byte[] data = new byte[random.Next(30_000)];
            random.NextBytes(data);
            string file = Path.Combine(directory, $"f{i}");
            File.WriteAllBytes(file, data);
            Ok(Chmod(file, i % 3 == 0 ? 0x1EDu : 0x1A4u));
            Ok(Utimens(file, new() { Seconds = i }, new() { Seconds = 1_000_000 + i, Nanoseconds = i }));
        }

        Ok(Symlink("d0/f0", Path.Combine(root, "link")));
        Ok(Symlink("nowhere", Path.Combine(root, "dangling")));
        Ok(Link(Path.Combine(root, "d1", "f1"), Path.Combine(root, "hard")));
        Ok(Mkdir(Path.Combine(root, "empty")));
        using OpenedFile sparse = Open(Path.Combine(root, "sparse"), ReadWrite | Creating);
        sparse.Write("end"u8, 300_000);
    }

    private static string Shell(string directory, string tree) => Programs.Run(Path.Combine(directory, tree), "sh", "-c", Describe);
}
