using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;
using Mono.Unix.Native;

namespace Harness.Tests.Experiments.Backends.Contracts;

public abstract class LookupCountContract : FileSystemContract
{
    private protected LookupCountContract(Func<IFileSystem> make)
        : base(make)
    {
    }

    [Fact]
    public void EveryReplyWithAnEntryCountsOneLookup()
    {
        ulong node = MakeFile(Root, "file");
        Fs.Lookup(Root, "file").Ok();
        Fs.Link(node, Root, "second").Ok();
        Fs.Create(Root, "file").Ok();
        Fs.ListAll(Root, plus: true);
        Fs.ListAll(Root);
        Fs.Getattr(node).Ok();
        Fs.Unlink(Root, "file").Ok();
        Fs.Unlink(Root, "second").Ok();
        AssertLivesUntilForgotten(node, lookups: 6);
    }

    [Fact]
    public void EveryWayOfMakingANodeCountsOneLookup()
    {
        ulong directory = Fs.Mkdir(Root, "directory").Ok().Nodeid;
        ulong link = Fs.Symlink(Root, "link", "target").Ok().Nodeid;
        ulong pipe = Fs.Mknod(Root, "pipe", FilePermissions.S_IFIFO).Ok().Nodeid;
        ulong file = Fs.Create(Root, "file").Ok().Entry.Nodeid;
        ulong temporary = Fs.Tmpfile(Root).Ok().Entry.Nodeid;
        Fs.Rmdir(Root, "directory").Ok();
        foreach (string name in new[] { "link", "pipe", "file" })
        {
            Fs.Unlink(Root, name).Ok();
        }

        foreach (ulong node in new[] { directory, link, pipe, file, temporary })
        {
            AssertLivesUntilForgotten(node, lookups: 1);
        }
    }

    [Fact]
    public void AReaddirplusThatDoesNotFitCountsNothing()
    {
        ulong first = MakeFile(Root, "first");
        ulong second = MakeFile(Root, "second");
        ulong fh = Fs.Opendir(Root).Ok();
        ulong behindDots = Fs.ListAll(Root).Single(one => one.Name == "..").NextOffset;
        List<Listed> fitting = Fs.Readdir(Root, fh, 0, size: 700, plus: true).Ok();
        Assert.Equal(["first", "second"], fitting.Select(one => one.Name).Where(name => name.Length > 2).Order());
        Assert.Single(Fs.Readdir(Root, fh, behindDots, size: 200, plus: true).Ok());
        Fs.Releasedir(Root, fh);
        Fs.Unlink(Root, "first").Ok();
        Fs.Unlink(Root, "second").Ok();
        Assert.Equal(5ul, Fs.LookupsOf(first) + Fs.LookupsOf(second));
        AssertLivesUntilForgotten(first, Fs.LookupsOf(first));
        AssertLivesUntilForgotten(second, Fs.LookupsOf(second));
    }

    [Fact]
    public void AFailedCallCountsNothing()
    {
        ulong file = MakeFile(Root, "file");
        Assert.Equal(Errno.EEXIST, Fs.Create(Root, "file", OpenFlags.O_CREAT | OpenFlags.O_EXCL).Error);
        Assert.Equal(Errno.EEXIST, Fs.Link(file, Root, "file").Error);
        ulong directory = MakeDirectory(Root, "directory");
        Assert.Equal(Errno.EISDIR, Fs.Create(Root, "directory").Error);
        Fs.Unlink(Root, "file").Ok();
        Fs.Rmdir(Root, "directory").Ok();
        AssertLivesUntilForgotten(file, lookups: 1);
        AssertLivesUntilForgotten(directory, lookups: 1);
    }

    [Fact]
    public void WhatIsForgottenIsFoundAgainByName()
    {
        ulong file = MakeFile(Root, "file", "text");
        Fs.Forget(file, 1);
        EntryOut found = Fs.Lookup(Root, "file").Ok();
        Assert.Equal("text", Fs.ReadText(found.Nodeid));
    }

    [Fact]
    public void AReplacedFileGoesWhenItIsForgotten()
    {
        ulong replaced = MakeFile(Root, "replaced");
        MakeFile(Root, "file");
        Fs.Rename(Root, "file", Root, "replaced").Ok();
        AssertLivesUntilForgotten(replaced, lookups: 1);
    }

    [Fact]
    public void ANodeIdIsNotUsedAgain()
    {
        var seen = new HashSet<(ulong NodeId, ulong Generation)>();
        for (int i = 0; i < 100; i++)
        {
            EntryOut entry = Fs.Create(Root, "file").Ok().Entry;
            Assert.True(seen.Add((entry.Nodeid, entry.Generation)));
            Fs.Unlink(Root, "file").Ok();
            Fs.Forget(entry.Nodeid, 1);
        }
    }

    private void AssertLivesUntilForgotten(ulong node, ulong lookups)
    {
        Assert.Equal(lookups, Fs.LookupsOf(node));
        for (; lookups > 0; lookups--)
        {
            Assert.Equal(0u, Fs.Getattr(node).Ok().Nlink);
            Fs.Forget(node, 1);
        }

        Assert.Equal(Errno.ESTALE, Fs.Getattr(node).Error);
    }
}
