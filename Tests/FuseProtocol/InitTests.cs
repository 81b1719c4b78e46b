using System.Runtime.InteropServices;
using Harness.Experiments.Fuzz;
using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;
using Mono.Unix.Native;

namespace Harness.Tests.FuseProtocol;

public sealed class InitTests
{
    private const InitFlags Everything = (InitFlags)0x7FF_7FFF_FFFF;

    public static TheoryData<uint> Minors => [.. Enumerable.Range(31, 16).Select(minor => (uint)minor)];

    [Theory]
    [MemberData(nameof(Minors))]
    public void EveryMinorFrom31OnIsNegotiated(uint minor)
    {
        InitFlags offered = InitFlagNames.All.Where(row => row.Minor <= minor).Aggregate(InitFlags.None, (flags, row) => flags | row.Flag);
        (NegotiatedInit init, InitOut answer) = Negotiate(minor, offered, new SessionOptions());
        Assert.Equal(Math.Min(minor, 45), init.Minor);
        Assert.Equal((7U, 45U), (answer.Major, answer.Minor));
        Assert.Equal(offered, init.Offered);
        Assert.Equal(minor < 36 ? SessionOptions.Default & ~InitFlags.InitExt : SessionOptions.Default, init.Flags);
        Assert.Equal(minor < 36 ? InitFlags.InitExt : InitFlags.None, init.Refused);
        Assert.Equal((uint)init.Flags, answer.Flags);
    }

    [Theory]
    [MemberData(nameof(Minors))]
    public void FlagsOfTheSecondWordNeedTheLongInit(uint minor)
    {
        const InitFlags Second = InitFlags.CreateSuppGroup;
        (NegotiatedInit init, InitOut answer) = Negotiate(minor, Everything, new SessionOptions().With(Second, true));
        bool hasSecond = minor >= 36;
        Assert.Equal(hasSecond, init.Has(Second));
        Assert.Equal(hasSecond ? 1U << 2 : 0, answer.Flags2);
        Assert.Equal(hasSecond ? 0 : Second, init.Refused & Second);
    }

    [Fact]
    public void TheSecondWordDoesNotCountWithoutInitExt()
    {
        (NegotiatedInit init, InitOut answer) = Negotiate(
            45, Everything & ~InitFlags.InitExt, new SessionOptions().With(InitFlags.CreateSuppGroup, true));
        Assert.Equal(0U, answer.Flags2);
        Assert.Equal(InitFlags.CreateSuppGroup | InitFlags.InitExt, init.Refused);
        Assert.Equal(InitFlags.None, init.Offered & InitFlags.CreateSuppGroup);
    }

    [Fact]
    public void TheSecondWordIsNotAskedForWithoutInitExt()
    {
        (NegotiatedInit init, InitOut answer) = Negotiate(45, Everything, new SessionOptions { Enabled = InitFlags.CreateSuppGroup });
        Assert.Equal((InitFlags.None, 0U), (init.Flags, answer.Flags2));
        Assert.Equal(InitFlags.CreateSuppGroup, init.Refused);
    }

    [Fact]
    public void InitThatEndsInTheMiddleOfTheSecondWordHasNone()
    {
        byte[] whole = FuseMessage.Init(45, Everything);
        byte[] cut = FuseMessage.Build(Opcode.Init, 2, whole.AsSpan(InHeader.Size, 18), nodeId: 0);
        using var world = new SessionWorld(new SessionOptions().With(InitFlags.CreateSuppGroup, true), start: false);
        Assert.Equal(Errnos.Ok, world.Channel.Deliver(cut).Error);
        Assert.False(world.Files.Started!.Has(InitFlags.CreateSuppGroup));
    }

    [Fact]
    public void ALaterMajorIsToldOursAndMayTryAgain()
    {
        using var world = new SessionWorld(start: false);
        FakeRequest first = world.Channel.Deliver(FuseMessage.Init(0, Everything, major: 8));
        Assert.Equal((Errnos.Ok, 7U, 45U), (first.Error, Answer(first).Major, Answer(first).Minor));
        Assert.False(world.Session.Started.IsCompleted);
        Assert.Equal(Errno.EPROTO, world.Deliver(GoldenMessages.Lookup).Error);

        Assert.Equal(Errnos.Ok, world.Channel.Deliver(FuseMessage.Init(45, Everything)).Error);
        Assert.Equal(Errnos.Ok, world.Deliver(GoldenMessages.Lookup).Error);
    }

    [Theory]
    [InlineData(7, 30)]
    [InlineData(7, 0)]
    [InlineData(6, 45)]
    [InlineData(0, 0)]
    public async Task AKernelThatIsTooOldIsRefused(uint major, uint minor)
    {
        using var world = new SessionWorld(start: false);
        FakeRequest request = world.Channel.Deliver(FuseMessage.Init(minor, Everything, major));
        Assert.Equal(Errno.EPROTO, request.Error);
        Assert.Null(world.Files.Started);
        NotSupportedException exception = await Assert.ThrowsAsync<NotSupportedException>(() => world.Session.Started);
        Assert.Contains($"{major}.{minor}", exception.Message);
    }

    [Fact]
    public async Task ASecondInitIsRefusedAndChangesNothing()
    {
        using var world = new SessionWorld();
        NegotiatedInit before = await world.Session.Started;
        FakeRequest second = world.Channel.Deliver(FuseMessage.Init(45, InitFlags.None));
        Assert.Equal(Errno.EPROTO, second.Error);
        Assert.Same(before, world.Files.Started);
        Assert.Equal(Errnos.Ok, world.Deliver(GoldenMessages.Lookup).Error);
    }

    [Fact]
    public void NothingIsServedBeforeInit()
    {
        foreach (GoldenMessage golden in GoldenMessages.All.Where(message => message.Opcode is not (Opcode.Init or Opcode.Interrupt)))
        {
            using var world = new SessionWorld(start: false);
            FakeRequest request = world.Deliver(golden);
            Assert.Empty(world.Files.Calls);
            Assert.Equal(golden.Reply is null ? 0 : 1, request.Replies);
            Errno expected = golden.Reply is null || golden.Opcode == Opcode.Destroy ? Errnos.Ok : Errno.EPROTO;
            Assert.Equal(expected, request.Error);
        }
    }

    [Fact]
    public void NothingIsServedAfterDestroy()
    {
        using var world = new SessionWorld();
        Assert.Equal(Errnos.Ok, world.Deliver(GoldenMessages.Destroy).Error);
        Assert.Equal(1, world.Files.Stops);
        Assert.Equal(Errno.EPROTO, world.Deliver(GoldenMessages.Lookup).Error);
        Assert.Equal(Errno.EPROTO, world.Deliver(GoldenMessages.Init).Error);
        Assert.Equal(Errnos.Ok, world.Deliver(GoldenMessages.Destroy).Error);
        world.Session.Stop();
        Assert.Equal(1, world.Files.Stops);
        Assert.Empty(world.Files.Calls);
    }

    [Fact]
    public async Task ASessionThatEndsBeforeInitSaysSo()
    {
        using var world = new SessionWorld(start: false);
        world.Session.Stop();
        await Assert.ThrowsAsync<InvalidOperationException>(() => world.Session.Started);
        Assert.Equal(0, world.Files.Stops);
    }

    [Fact]
    public async Task AFileSystemThatCannotStartFailsInitByEio()
    {
        using var world = new SessionWorld(start: false);
        world.Files.During = () => throw new IOException("no disk");
        FakeRequest request = world.Channel.Deliver(FuseMessage.Init(45, Everything));
        Assert.Equal((1, Errno.EIO), (request.Replies, request.Error));
        Assert.Equal("no disk", (await Assert.ThrowsAsync<IOException>(() => world.Session.Started)).Message);
        Assert.Equal(["no disk"], world.Observer.Faults);
        world.Session.Stop();
        Assert.Equal(0, world.Files.Stops);
    }

    [Fact]
    public void LimitsAreAskedForAsConfigured()
    {
        var options = new SessionOptions
        {
            MaxWrite = 4 << 20,
            MaxReadahead = 65536,
            MaxBackground = 100,
            CongestionThreshold = 90,
            TimeGran = 1000,
            RequestTimeoutSeconds = 20,
        };
        (NegotiatedInit init, InitOut answer) = Negotiate(45, Everything, options);
        Assert.Equal((4U << 20, (ushort)1024, 65536U), (answer.MaxWrite, answer.MaxPages, answer.MaxReadahead));
        Assert.Equal((100, 90, 1000, 20), (answer.MaxBackground, answer.CongestionThreshold, (int)answer.TimeGran, answer.RequestTimeout));
        Assert.Equal((4 << 20, 65536, 100, 90), (init.MaxWrite, init.MaxReadahead, init.MaxBackground, init.CongestionThreshold));
        Assert.True(init.Has(InitFlags.RequestTimeout));
    }

    [Fact]
    public void TheKernelsReadaheadIsNotExceeded()
    {
        (NegotiatedInit init, _) = Negotiate(45, Everything, new SessionOptions(), maxReadahead: 4096);
        Assert.Equal(4096, init.MaxReadahead);
    }

    [Fact]
    public void WithoutMaxPagesAMessageHas32()
    {
        (NegotiatedInit init, InitOut answer) = Negotiate(45, Everything & ~InitFlags.MaxPages, new SessionOptions());
        Assert.Equal((32 * 4096, 32U * 4096, (ushort)32), (init.MaxWrite, answer.MaxWrite, answer.MaxPages));
        Assert.Equal(InitFlags.MaxPages, init.Refused);
    }

    [Theory]
    [InlineData(36, false)]
    [InlineData(37, false)]
    [InlineData(38, true)]
    public void SecurityContextsNeedTheirLengthInTheHeader(uint minor, bool agreed)
    {
        (NegotiatedInit init, _) = Negotiate(minor, Everything, new SessionOptions().With(InitFlags.SecurityCtx, true));
        Assert.Equal(agreed, init.Has(InitFlags.SecurityCtx));
    }

    [Theory]
    [InlineData(InitFlags.Passthrough, InitFlags.WritebackCache)]
    [InlineData(InitFlags.ExplicitInvalData, InitFlags.AutoInvalData)]
    [InlineData(InitFlags.AutoInvalData, InitFlags.ExplicitInvalData)]
    [InlineData(InitFlags.HandleKillprivV2, InitFlags.HandleKillpriv)]
    public void TheUsersWishGoesBeforeTheFileSystems(InitFlags capability, InitFlags wish)
    {
        NegotiatedInit init = Negotiate(45, Everything, new SessionOptions().With(wish, true), capabilities: capability).Init;
        Assert.True(init.Has(wish));
        Assert.False(init.Has(capability));
    }

    [Theory]
    [InlineData(InitFlags.Passthrough | InitFlags.WritebackCache, InitFlags.WritebackCache)]
    [InlineData(InitFlags.AutoInvalData | InitFlags.ExplicitInvalData, InitFlags.AutoInvalData)]
    [InlineData(InitFlags.HandleKillpriv | InitFlags.HandleKillprivV2, InitFlags.HandleKillprivV2)]
    [InlineData(InitFlags.ExportSupport | InitFlags.NoExportSupport, InitFlags.NoExportSupport)]
    [InlineData(InitFlags.ReaddirplusAuto, InitFlags.None)]
    public void WhatTheKernelWouldIgnoreIsNotAgreedOnButReported(InitFlags capabilities, InitFlags agreed)
    {
        NegotiatedInit init = Negotiate(45, Everything, new SessionOptions(), capabilities: capabilities).Init;
        Assert.Equal(agreed, init.Flags & ~SessionOptions.Default);
        Assert.Equal(capabilities & ~agreed, init.Refused);
    }

    [Fact]
    public void WhereTheKernelLacksTheWinnerTheLoserIsAgreedOn()
    {
        const InitFlags Both = InitFlags.HandleKillpriv | InitFlags.HandleKillprivV2;
        NegotiatedInit init = Negotiate(45, Everything & ~InitFlags.HandleKillprivV2, new SessionOptions(), capabilities: Both).Init;
        Assert.Equal((InitFlags.HandleKillpriv, InitFlags.HandleKillprivV2), (init.Flags & Both, init.Refused));
    }

    [Theory]
    [InlineData(true, InitFlags.None, true)]
    [InlineData(false, InitFlags.None, false)]
    [InlineData(false, InitFlags.PosixAcl, true)]
    public void IdMapsAreLeftOutWhereTheKernelWouldRefuseTheMount(bool defaultPermissions, InitFlags more, bool agreed)
    {
        var options = new SessionOptions { DefaultPermissions = defaultPermissions };
        NegotiatedInit init = Negotiate(45, Everything, options, capabilities: InitFlags.AllowIdmap | more).Init;
        Assert.Equal(agreed, init.Has(InitFlags.AllowIdmap));
    }

    [Fact]
    public void WhatIsSwitchedOffIsNotAskedFor()
    {
        SessionOptions options = new SessionOptions().With(InitFlags.AsyncDio, false).With(InitFlags.PosixAcl, false);
        NegotiatedInit init = Negotiate(45, Everything, options, capabilities: InitFlags.PosixAcl).Init;
        Assert.Equal(SessionOptions.Default & ~InitFlags.AsyncDio, init.Flags);
        Assert.Equal(InitFlags.None, init.Refused);
    }

    [Fact]
    public void StackDepthIsSentForPassthroughOnly()
    {
        var options = new SessionOptions { MaxStackDepth = 2 };
        Assert.Equal(0U, Negotiate(45, Everything, options).Answer.MaxStackDepth);
        Assert.Equal(2U, Negotiate(45, Everything, options, capabilities: InitFlags.Passthrough).Answer.MaxStackDepth);
    }

    private static InitOut Answer(FakeRequest request) => MemoryMarshal.Read<InitOut>(request.ReplyBuffer.Span);

    private static (NegotiatedInit Init, InitOut Answer) Negotiate(
        uint minor,
        InitFlags offered,
        SessionOptions options,
        uint maxReadahead = 1 << 24,
        InitFlags capabilities = InitFlags.None)
    {
        using var world = new SessionWorld(options, start: false, capabilities: capabilities);
        FakeRequest request = world.Channel.Deliver(FuseMessage.Init(minor, offered, maxReadahead: maxReadahead));
        Assert.Equal((1, Errnos.Ok, 64), (request.Replies, request.Error, request.ReplyLength));
        return (world.Files.Started!, Answer(request));
    }
}
