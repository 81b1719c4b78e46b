using Harness.Results;

namespace Harness.Tests.Results;

public sealed class WholeFileTests : IDisposable
{
    private readonly TemporaryDirectory directory = new();

    public void Dispose() => directory.Dispose();

    [Fact]
    public void NewContentReplacesOldAndNothingElseIsLeft()
    {
        string path = directory["file"];
        WholeFile.Write(path, "a longer first content");
        WholeFile.Write(path, "µs");

        Assert.Equal("µs"u8.ToArray(), File.ReadAllBytes(path));
        Assert.Equal(["file"], directory.Names);
    }

    [Fact]
    public void ReadersOfTheOldFileKeepItWhole()
    {
        string path = directory["file"];
        WholeFile.Write(path, "old");
        using FileStream reader = File.OpenRead(path);

        WholeFile.Write(path, "new and longer");

        Assert.Equal("old", new StreamReader(reader).ReadToEnd());
    }

    [Fact]
    public void AFailedWriteLeavesTheTargetAndNoTemporaryFile()
    {
        string path = directory["taken"];
        Directory.CreateDirectory(path);

        Assert.ThrowsAny<Exception>(() => WholeFile.Write(path, "text"));

        Assert.Equal(["taken"], directory.Names);
    }

    [Fact]
    public void WhatAKilledWriterLeftIsOverwritten()
    {
        string path = directory["file"];
        File.WriteAllText(WholeFile.TemporaryFor(path), "half of a much longer content that a killed process left behind");

        WholeFile.Write(path, "whole");

        Assert.Equal("whole", File.ReadAllText(path));
        Assert.Equal(["file"], directory.Names);
    }
}
