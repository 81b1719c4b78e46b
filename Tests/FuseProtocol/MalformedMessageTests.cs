using Harness.Experiments.Fuzz;
using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;
using Mono.Unix.Native;

namespace Harness.Tests.FuseProtocol;

public sealed class MalformedMessageTests
{
    public static TheoryData<string> WithArguments =>
    [
        .. GoldenMessages.All
            .Where(message => OpcodeTable.ArgsSize(message.Opcode, InitFlags.None) > 0 && message.Opcode != Opcode.Init)
            .Select(message => message.Name),
    ];

    [Theory]
    [InlineData(0)]
    [InlineData(7)]
    [InlineData(19)]
    [InlineData(54)]
    [InlineData(4096)]
    [InlineData(436207616)]
    [InlineData(uint.MaxValue)]
    public void AnUnknownOpcodeIsAnsweredEnosys(uint opcode)
    {
        using var world = new SessionWorld();
        FakeRequest request = world.Channel.Deliver(FuseMessage.Build((Opcode)opcode, 8, "rest"u8));
        Assert.Equal((1, Errno.ENOSYS, 0), (request.Replies, request.Error, request.ReplyLength));
        Assert.Equal([$"opcode {opcode} is unknown"], world.Observer.Refusals);
    }

    [Theory]
    [MemberData(nameof(WithArguments))]
    public void AMessageShorterThanItsArgumentsIsRefused(string name)
    {
        GoldenMessage golden = GoldenMessages.All.Single(message => message.Name == name);
        int argsSize = OpcodeTable.ArgsSize(golden.Opcode, InitFlags.None);
        foreach (RequestShape shape in new[] { RequestShape.Device, RequestShape.Apart })
        {
            using var world = new SessionWorld(shape: shape);
            byte[] whole = golden.Request[..(InHeader.Size + argsSize)];
            for (int length = 0; length < argsSize; length++)
            {
                byte[] cut = FuseMessage.Build(golden.Opcode, 8, whole.AsSpan(InHeader.Size, length));
                FakeRequest request = world.Channel.Deliver(cut);
                bool takesReply = OpcodeTable.TakesReply(golden.Opcode);
                Assert.Equal(takesReply ? (1, 0, Errno.EPROTO) : (0, 1, 0), (request.Replies, request.Completions, request.Error));
            }

            Assert.Empty(world.Files.Calls);
            Assert.Equal(argsSize, world.Observer.Refusals.Count);
        }
    }

    [Theory]
    [InlineData(nameof(RequestShape.Device))]
    [InlineData(nameof(RequestShape.Ring))]
    [InlineData(nameof(RequestShape.Apart))]
    public void ExtensionsThatDoNotFitAreRefused(string shape)
    {
        using var world = new SessionWorld(shape: Enum.Parse<RequestShape>(shape));
        byte[] name = FuseMessage.Name("seven.."); // eight bytes with its NUL
        Assert.Equal(Errno.EPROTO, world.Channel.Deliver(FuseMessage.Build(Opcode.Mkdir, 8, default(MkdirIn), name, extensionBytes: 24)).Error);
        Assert.Equal(Errno.EPROTO, world.Channel.Deliver(FuseMessage.Build(Opcode.Mkdir, 8, default(MkdirIn), name, extensionBytes: 65535 * 8)).Error);
        Assert.Empty(world.Files.Calls);

        // Extensions of the whole payload leave no name.
        Assert.Equal(Errno.EPROTO, world.Channel.Deliver(FuseMessage.Build(Opcode.Mkdir, 8, default(MkdirIn), name, extensionBytes: 8)).Error);
        Assert.Equal(Errnos.Ok, world.Channel.Deliver(FuseMessage.Build(Opcode.Mkdir, 8, default(MkdirIn), name)).Error);
        Assert.Equal(3, world.Observer.Refusals.Count);
    }

    [Theory]
    [InlineData("")]
    [InlineData("\0")]
    [InlineData("no end")]
    [InlineData("a/b\0")]
    [InlineData(".\0")]
    [InlineData("..\0")]
    public void ANameThatIsNoneIsRefused(string payload)
    {
        byte[] bytes = System.Text.Encoding.UTF8.GetBytes(payload);
        foreach (Opcode opcode in new[] { Opcode.Mkdir, Opcode.Mknod, Opcode.Unlink, Opcode.Rmdir, Opcode.Link, Opcode.Create })
        {
            using var world = new SessionWorld();
            byte[] args = new byte[OpcodeTable.ArgsSize(opcode, InitFlags.None)];
            FakeRequest request = world.Channel.Deliver(FuseMessage.Build(opcode, 8, [.. args, .. bytes]));
            Assert.Equal((1, Errno.EPROTO), (request.Replies, request.Error));
            Assert.Empty(world.Files.Calls);
        }
    }

    [Theory]
    [InlineData("a\0")]
    [InlineData("a\0b")]
    [InlineData("\0b\0")]
    [InlineData("a\0\0")]
    [InlineData("")]
    public void TwoNamesAreNeededWhereThereAreTwo(string payload)
    {
        byte[] bytes = System.Text.Encoding.UTF8.GetBytes(payload);
        foreach (Opcode opcode in new[] { Opcode.Rename, Opcode.Rename2, Opcode.Symlink })
        {
            using var world = new SessionWorld();
            byte[] args = new byte[OpcodeTable.ArgsSize(opcode, InitFlags.None)];
            FakeRequest request = world.Channel.Deliver(FuseMessage.Build(opcode, 8, [.. args, .. bytes]));
            Assert.Equal((1, Errno.EPROTO), (request.Replies, request.Error));
            Assert.Empty(world.Files.Calls);
        }
    }

    [Fact]
    public void LookupOfDotsIsServed()
    {
        using var world = new SessionWorld();
        Assert.Equal(Errnos.Ok, world.Channel.Deliver(FuseMessage.Build(Opcode.Lookup, 8, FuseMessage.Name("."))).Error);
        Assert.Equal(Errnos.Ok, world.Channel.Deliver(FuseMessage.Build(Opcode.Lookup, 8, FuseMessage.Name(".."))).Error);
    }

    [Theory]
    [InlineData(4095, 0)]
    [InlineData(4096, (int)Errno.EPROTO)]
    public void NamesAreUpToAPathLong(int length, int error)
    {
        using var world = new SessionWorld();
        byte[] message = FuseMessage.Build(Opcode.Lookup, 8, FuseMessage.Name(new string('x', length)));
        Assert.Equal((Errno)error, world.Channel.Deliver(message).Error);
    }

    [Fact]
    public void SizesThatTheMessageDoesNotHaveAreRefused()
    {
        using var world = new SessionWorld();
        byte[] five = "hello"u8.ToArray();
        Refused(FuseMessage.Build(Opcode.Write, 8, new WriteIn { Size = 6 }, five));
        Refused(FuseMessage.Build(Opcode.Write, 8, new WriteIn { Size = uint.MaxValue }, five));
        Refused(FuseMessage.Build(Opcode.Ioctl, 8, new IoctlIn { InSize = 6 }, five));
        Refused(FuseMessage.Build(Opcode.Setxattr, 8, [.. BitConverter.GetBytes(6UL), .. "a\0hello"u8]));
        Refused(FuseMessage.Build(Opcode.Setxattr, 8, [.. BitConverter.GetBytes(0x8000_0000UL), .. "a\0hello"u8]));
        Refused(FuseMessage.Build(Opcode.Setxattr, 8, [.. BitConverter.GetBytes(5UL), .. "no NUL"u8]));
        Refused(FuseMessage.Build(Opcode.Getxattr, 8, [.. BitConverter.GetBytes(5UL), .. "no NUL"u8]));
        Refused(FuseMessage.Build(Opcode.Removexattr, 8, "\0"u8));
        Assert.Empty(world.Files.Calls);

        void Refused(byte[] message)
        {
            FakeRequest request = world.Channel.Deliver(message);
            Assert.Equal((1, Errno.EPROTO), (request.Replies, request.Error));
        }
    }

    [Fact]
    public void SizesThatTheReplyHasNoRoomForAreRefused()
    {
        using var world = new SessionWorld();
        int room = world.Channel.Slots[0].ReplyBuffer.Length;
        Assert.Equal(Errnos.Ok, Error(FuseMessage.Build(Opcode.Read, 8, new ReadIn { Size = (uint)room })));
        Assert.Equal(Errno.EPROTO, Error(FuseMessage.Build(Opcode.Read, 8, new ReadIn { Size = (uint)room + 1 })));
        Assert.Equal(Errno.EPROTO, Error(FuseMessage.Build(Opcode.Read, 8, new ReadIn { Size = uint.MaxValue })));
        Assert.Equal(Errnos.Ok, Error(FuseMessage.Build(Opcode.Ioctl, 8, new IoctlIn { OutSize = (uint)room - 16 })));
        Assert.Equal(Errno.EPROTO, Error(FuseMessage.Build(Opcode.Ioctl, 8, new IoctlIn { OutSize = (uint)room - 15 })));

        // A list may be shorter than asked for.
        Assert.Equal(Errnos.Ok, Error(FuseMessage.Build(Opcode.Readdir, 8, new ReadIn { Size = uint.MaxValue })));
        Assert.Contains($"into {room}", world.Files.Calls[^1]);

        Errno Error(byte[] message) => world.Channel.Deliver(message).Error;
    }

    [Fact]
    public void WhatIsRefusedWithoutReplyIsEndedWithoutReply()
    {
        using var world = new SessionWorld();
        byte[] tooMany = FuseMessage.Build(Opcode.BatchForget, 8, new BatchForgetIn { Count = 2 }, FuseMessage.Bytes(default(ForgetOne)));
        byte[] overflow = FuseMessage.Build(
            Opcode.BatchForget, 8, new BatchForgetIn { Count = uint.MaxValue }, FuseMessage.Bytes(default(ForgetOne)));
        byte[] tooMuch = FuseMessage.Build(Opcode.NotifyReply, 8, new NotifyRetrieveIn { Size = 6 }, "hello"u8);
        foreach (byte[] message in new[] { tooMany, overflow, tooMuch })
        {
            FakeRequest request = world.Channel.Deliver(message);
            Assert.Equal((0, 1), (request.Replies, request.Completions));
        }

        Assert.Empty(world.Files.Calls);
        Assert.Equal(3, world.Observer.Refusals.Count);
    }

    [Fact]
    public void AnUnrestrictedIoctlHasRoomToAskForARetry()
    {
        using var world = new SessionWorld();
        world.Channel.Deliver(FuseMessage.Build(Opcode.Ioctl, 8, new IoctlIn { Flags = IoctlFlags.Unrestricted, OutSize = 8 }));
        Assert.Contains("into 4096", world.Files.Calls[^1]);
        world.Channel.Deliver(FuseMessage.Build(Opcode.Ioctl, 8, new IoctlIn { Flags = IoctlFlags.Unrestricted, OutSize = 5000 }));
        Assert.Contains("into 5000", world.Files.Calls[^1]);
    }

    [Theory]
    [InlineData("0800000001000000", false)] // a header of a context, and nothing behind it
    [InlineData("1000000001000000ffffffff00000000", false)] // a context of 4 GiB
    [InlineData("1800000001000000010000000000000061620063", false)] // longer than what there is
    [InlineData("1800000001000000010000000000000061620063000000ff", true)]
    [InlineData("0000000001000000", false)] // no length at all, which must not be looked at for ever
    [InlineData("ffffffff01000000", false)]
    [InlineData("0800000000000000180000000100000001000000000000006162006300000000", true)] // behind an empty list of contexts
    public void ASecurityContextIsReadOnlyIfItIsWhole(string hex, bool expected)
    {
        var extensions = new RequestExtensions(Convert.FromHexString(hex));
        Assert.Equal(expected, extensions.TryGetSecurityContext(out ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value));
        Assert.Equal(expected ? "ab=c" : "=", $"{System.Text.Encoding.ASCII.GetString(name)}={System.Text.Encoding.ASCII.GetString(value)}");
    }

    [Theory]
    [InlineData("100000002000000001000000d1070000", 1)]
    [InlineData("100000002000000002000000d1070000", 0)] // more groups than there are
    [InlineData("10000000200000000000000000000000", 0)]
    [InlineData("0c00000020000000", 0)] // longer than what there is
    [InlineData("0a00000020000000ffff", 0)] // too short for a count
    [InlineData("1000000021000000aaaaaaaaaaaaaaaa100000002000000001000000d1070000", 1)] // behind one of an unknown type
    public void GroupsAreReadOnlyIfTheyAreWhole(string hex, int expected) =>
        Assert.Equal(expected, new RequestExtensions(Convert.FromHexString(hex)).SupplementaryGroups.Length);
}
