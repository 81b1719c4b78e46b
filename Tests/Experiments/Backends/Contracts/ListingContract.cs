using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;
using Mono.Unix.Native;

namespace Harness.Tests.Experiments.Backends.Contracts;

public abstract class ListingContract : FileSystemContract
{
    private protected ListingContract(Func<IFileSystem> make)
        : base(make)
    {
    }

    [Theory]
    [InlineData(false, 64)]
    [InlineData(false, 4096)]
    [InlineData(true, 300)]
    [InlineData(true, 4096)]
    public void EveryNameIsListedOnce(bool plus, int bufferBytes)
    {
        ulong directory = MakeDirectory(Root, "directory");
        string[] names = [.. Enumerable.Range(0, 200).Select(i => $"name-{i}")];
        foreach (string name in names)
        {
            MakeFile(directory, name);
        }

        List<Listed> listed = Fs.ListAll(directory, bufferBytes, plus);
        Assert.Equal(names.Concat([".", ".."]).Order(), listed.Select(one => one.Name).Order());
        Assert.Equal(directory, listed.Single(one => one.Name == ".").Ino);
        Assert.Equal(Root, listed.Single(one => one.Name == "..").Ino);
        Assert.All(listed, one => Assert.NotEqual(0ul, one.NextOffset));
        Assert.All(
            listed.Where(one => one.Name.StartsWith("name-", StringComparison.Ordinal)),
            one => Assert.Equal(Fs.Lookup(directory, one.Name).Ok().Attr.Ino, one.Ino));
    }

    [Fact]
    public void ReaddirplusAnswersAsLookupDoes()
    {
        MakeFile(Root, "file", "text");
        MakeDirectory(Root, "directory");
        foreach (Listed one in Fs.ListAll(Root, plus: true))
        {
            EntryOut expected = one.Name is "." or ".." ? default : Fs.Lookup(Root, one.Name).Ok();
            Assert.Equal(expected.Nodeid, one.Entry.Nodeid);
            Assert.Equal(expected.Generation, one.Entry.Generation);
            Assert.Equal(expected.EntryValid, one.Entry.EntryValid);
            if (expected.Nodeid != 0)
            {
                Assert.Equal(expected.Attr, one.Entry.Attr);
            }
        }
    }

    [Theory]
    [InlineData(120)]
    [InlineData(1000)]
    public void WhatStaysIsListedOnceWhileOthersComeAndGo(int bufferBytes)
    {
        string[] stay = [.. Enumerable.Range(0, 100).Select(i => $"stay-{i}")];
        for (int i = 0; i < stay.Length; i++)
        {
            MakeFile(Root, $"go-{i}");
            MakeFile(Root, stay[i]);
        }

        var seen = new List<string>();
        ulong fh = Fs.Opendir(Root).Ok();
        ulong offset = 0;
        for (int round = 0; Fs.Readdir(Root, fh, offset, bufferBytes).Ok() is { Count: > 0 } some; round++)
        {
            seen.AddRange(some.Select(one => one.Name));
            offset = some[^1].NextOffset;
            Fs.Unlink(Root, $"go-{round % 100}");
            Fs.Unlink(Root, $"go-{99 - (round % 100)}");
            Fs.Create(Root, $"come-{round}").Ok();
            Fs.Rename(Root, stay[0], Root, stay[0] + "-renamed").Ok();
            Fs.Rename(Root, stay[0] + "-renamed", Root, stay[0]).Ok();
        }

        Fs.Releasedir(Root, fh);
        Assert.Equal(stay.Order(), seen.Where(name => name.StartsWith("stay-", StringComparison.Ordinal)).Order());
        Assert.Equal(seen.Distinct().Count(), seen.Count);
    }

    [Fact]
    public void ListingGoesOnFromAnyOffsetItHasGiven()
    {
        for (int i = 0; i < 50; i++)
        {
            MakeFile(Root, $"name-{i}");
        }

        List<Listed> all = Fs.ListAll(Root);
        ulong fh = Fs.Opendir(Root).Ok();
        Fs.Readdir(Root, fh, 0).Ok();
        Fs.Unlink(Root, all[20].Name).Ok();
        foreach (int at in new[] { 30, 2, 0, 20, 19, 49 })
        {
            IEnumerable<string> expected = all.Skip(at + 1).Select(one => one.Name).Where(name => name != all[20].Name);
            Assert.Equal(expected, Fs.Readdir(Root, fh, all[at].NextOffset).Ok().Select(one => one.Name));
        }

        Assert.Empty(Fs.Readdir(Root, fh, all[^1].NextOffset).Ok());
        Fs.Releasedir(Root, fh);
    }

    [Fact]
    public void RewindingShowsWhatIsThereNow()
    {
        MakeFile(Root, "before");
        ulong fh = Fs.Opendir(Root).Ok();
        Fs.Readdir(Root, fh, 0).Ok();
        MakeFile(Root, "after");
        Fs.Unlink(Root, "before").Ok();
        Assert.Equal([".", "..", "after"], Fs.Readdir(Root, fh, 0).Ok().Select(one => one.Name));
        Fs.Releasedir(Root, fh);
    }

    [Fact]
    public void RenamingEachNameThatIsListedComesToAnEnd()
    {
        for (int i = 0; i < 20; i++)
        {
            MakeFile(Root, $"name-{i}");
        }

        Assert.Equal(20, ListWhile(name =>
        {
            Fs.Rename(Root, name, Root, "temporary").Ok();
            Fs.Rename(Root, "temporary", Root, name).Ok();
        }));
    }

    [Fact]
    public void CopyingEachNameThatIsListedComesToAnEnd()
    {
        for (int i = 0; i < 20; i++)
        {
            MakeFile(Root, $"name-{i}");
        }

        Assert.InRange(ListWhile(name => Fs.Create(Root, name + "~").Ok()), 20, 40);
    }

    [Fact]
    public void ABufferTooSmallForOneNameIsEINVAL()
    {
        MakeFile(Root, new string('n', 200));
        ulong fh = Fs.Opendir(Root).Ok();
        Assert.Equal(Errno.EINVAL, Fs.Readdir(Root, fh, 0, size: 16).Error);
        Fs.Releasedir(Root, fh);
    }

    /// <summary>Lists the root a few names at a time, and does something with each; gives up at a hundred names.</summary>
    private int ListWhile(Action<string> act)
    {
        ulong fh = Fs.Opendir(Root).Ok();
        int count = 0;
        ulong offset = 0;
        while (count < 100 && Fs.Readdir(Root, fh, offset, 128).Ok() is { Count: > 0 } some)
        {
            foreach (Listed one in some.Where(one => one.Name is not ("." or "..")))
            {
                count++;
                act(one.Name);
            }

            offset = some[^1].NextOffset;
        }

        Fs.Releasedir(Root, fh);
        return count;
    }
}
