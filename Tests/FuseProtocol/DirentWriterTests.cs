using System.Runtime.InteropServices;
using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;

namespace Harness.Tests.FuseProtocol;

public sealed class DirentWriterTests
{
    [Theory]
    [InlineData(1, 32)]
    [InlineData(8, 32)]
    [InlineData(9, 40)]
    [InlineData(255, 280)]
    public void ANameTakesItsRecordRoundedUp(int length, int expected)
    {
        byte[] name = [.. Enumerable.Repeat((byte)'n', length)];
        Assert.Equal(expected, Add(new byte[expected], name));
        Assert.Equal(0, Add(new byte[expected - 1], name));
    }

    [Theory]
    [InlineData(1, 160)]
    [InlineData(9, 168)]
    public void ANameWithItsEntryTakesMore(int length, int expected)
    {
        byte[] name = [.. Enumerable.Repeat((byte)'n', length)];
        Assert.Equal(expected, AddPlus(new byte[expected], name));
        Assert.Equal(0, AddPlus(new byte[expected - 1], name));
    }

    [Fact]
    public void ANameThatDoesNotFitLeavesTheRestAsItWas()
    {
        byte[] buffer = [.. Enumerable.Repeat((byte)0xEE, 63)];
        var writer = new DirentWriter(buffer);
        Assert.True(writer.TryAdd("a"u8, 1, 0, 1));
        Assert.False(writer.TryAdd("b"u8, 2, 0, 2));
        Assert.Equal(32, writer.Length);
        Assert.All(buffer[32..], value => Assert.Equal(0xEE, value));
    }

    [Fact]
    public void PaddingIsClearedInABufferThatWasUsedBefore()
    {
        byte[] buffer = [.. Enumerable.Repeat((byte)0xEE, 32)];
        Assert.Equal(32, Add(buffer, "abc"u8));
        Assert.Equal("6162630000000000", Convert.ToHexString(buffer[24..]));
    }

    [Theory]
    [InlineData(0x81A4, 8)]
    [InlineData(0x41ED, 4)]
    [InlineData(0xA1FF, 10)]
    [InlineData(0x21B6, 2)]
    [InlineData(0x61B6, 6)]
    [InlineData(0x11B6, 1)]
    [InlineData(0xC1B6, 12)]
    public void TheTypeIsThatOfReaddir(uint mode, uint type)
    {
        byte[] buffer = new byte[32];
        var writer = new DirentWriter(buffer);
        writer.TryAdd("a"u8, 7, mode, 9);
        Dirent dirent = MemoryMarshal.Read<Dirent>(buffer);
        Assert.Equal((7UL, 9UL, 1U, type), (dirent.Ino, dirent.Off, dirent.Namelen, dirent.Type));
    }

    private static int Add(byte[] buffer, ReadOnlySpan<byte> name)
    {
        var writer = new DirentWriter(buffer);
        Assert.Equal(buffer.Length >= 24 + ((name.Length + 7) & ~7), writer.TryAdd(name, 1, 0, 1));
        return writer.Length;
    }

    private static int AddPlus(byte[] buffer, ReadOnlySpan<byte> name)
    {
        var writer = new DirentWriter(buffer);
        Assert.Equal(buffer.Length >= 152 + ((name.Length + 7) & ~7), writer.TryAddPlus(name, default, 1));
        return writer.Length;
    }
}
