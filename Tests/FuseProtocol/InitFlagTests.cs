using Harness.FuseProtocol;
using Harness.FuseProtocol.Tracing;
using Harness.FuseProtocol.Wire;

namespace Harness.Tests.FuseProtocol;

public sealed class InitFlagTests
{
    private const InitFlags Everything = (InitFlags)0x7FF_FFFF_FFFF;

    [Fact]
    public void EveryFlagHasOneRowInTheOrderOfBits()
    {
        Assert.Equal(Enum.GetValues<InitFlags>().Where(flag => flag != InitFlags.None), InitFlagNames.All.Select(row => row.Flag));
        Assert.Equal(Everything, InitFlagNames.All.Aggregate(InitFlags.None, (flags, row) => flags | row.Flag));
    }

    [Fact]
    public void NamesAreTheKernelsInLowerCaseWithHyphens() =>
        Assert.All(
            InitFlagNames.All,
            row => Assert.Equal(KernelNames.Spell(row.Flag.ToString()).ToLowerInvariant().Replace('_', '-'), row.Name));

    [Fact]
    public void EveryEffectIsOneSentence() =>
        Assert.All(InitFlagNames.All, row => Assert.Matches(@"^[A-Z][^\n]{10,118}\.$", row.Effect));

    [Fact]
    public void TheSecondWordCameWithInitExtOrLater() =>
        Assert.All(InitFlagNames.All, row => Assert.Equal((ulong)row.Flag > uint.MaxValue, row.Minor >= 36 && row.Flag > InitFlags.InitReserved));

    [Theory]
    [InlineData("async-dio", InitFlags.AsyncDio)]
    [InlineData("handle-killpriv-v2", InitFlags.HandleKillprivV2)]
    [InlineData("no-open-support", InitFlags.NoOpenSupport)]
    public void ANameIsRead(string name, InitFlags flag)
    {
        Assert.True(InitFlagNames.TryParse(name, out InitFlags parsed, out string? error), error);
        Assert.Equal(flag, parsed);
    }

    [Theory]
    [InlineData("asyncdio", "did you mean 'async-dio'?")]
    [InlineData("writeback", "There are: async-read, ")]
    [InlineData("writebak-cache", "did you mean 'writeback-cache'?")]
    [InlineData("ASYNC_DIO", "There are: ")]
    [InlineData("", "There are: ")]
    [InlineData("big-writes", "max-write")]
    [InlineData("over-io-uring", "channel")]
    [InlineData("init-reserved", "Reserved")]
    [InlineData("has-resend", "sent again")]
    public void AnythingElseIsRefusedWithAWayOut(string name, string hint)
    {
        Assert.False(InitFlagNames.TryParse(name, out _, out string? error));
        Assert.Contains($"'{name}'", error);
        Assert.Contains(hint, error);
    }

    [Theory]
    [InlineData("async-dio", InitFlags.AsyncDio, true)]
    [InlineData("no-async-dio", InitFlags.AsyncDio, false)]
    [InlineData("no-open-support", InitFlags.NoOpenSupport, true)]
    [InlineData("no-no-open-support", InitFlags.NoOpenSupport, false)]
    public void ASwitchTurnsOnOrOff(string word, InitFlags flag, bool on)
    {
        Assert.True(InitFlagNames.TryParseSwitch(word, out InitFlags parsed, out bool parsedOn, out _));
        Assert.Equal((flag, on), (parsed, parsedOn));
    }

    [Fact]
    public void ASwitchOfNothingIsRefused() => Assert.False(InitFlagNames.TryParseSwitch("no-such-flag", out _, out _, out _));

    [Fact]
    public void FlagsArePrintedByName()
    {
        Assert.Equal("async-read passthrough", InitFlagNames.Format(InitFlags.Passthrough | InitFlags.AsyncRead));
        Assert.Equal("async-read 0x100000000000", InitFlagNames.Format(InitFlags.AsyncRead | (InitFlags)(1UL << 44)));
        Assert.Equal(string.Empty, InitFlagNames.Format(InitFlags.None));
    }

    [Fact]
    public void TheTableHasALineForEachFlagThatFitsAScreen()
    {
        string[] lines = InitFlagNames.Table().TrimEnd('\n').Split('\n');
        Assert.Equal(InitFlagNames.All.Select(row => row.Name), lines.Select(line => line[..line.IndexOf(' ')]));
        Assert.All(lines, line => Assert.InRange(line.Length, 40, 160));
        Assert.Contains(lines, line => line.StartsWith("async-dio", StringComparison.Ordinal) && line.Contains("  on "));
        Assert.Contains(lines, line => line.StartsWith("writeback-cache", StringComparison.Ordinal) && line.Contains("  off "));
        Assert.Contains(lines, line => line.StartsWith("init-ext", StringComparison.Ordinal) && line.Contains("(session)"));
    }

    [Fact]
    public void TheDefaultsAreValid() => Assert.Empty(new SessionOptions().Validate());

    [Theory]
    [InlineData(InitFlags.WritebackCache | InitFlags.Passthrough, "writeback-cache and passthrough exclude each other")]
    [InlineData(InitFlags.AutoInvalData | InitFlags.ExplicitInvalData, "auto-inval-data and explicit-inval-data exclude")]
    [InlineData(InitFlags.HandleKillpriv | InitFlags.HandleKillprivV2, "handle-killpriv-v2 and handle-killpriv exclude")]
    [InlineData(InitFlags.ExportSupport | InitFlags.NoExportSupport, "no-export-support and export-support exclude")]
    [InlineData(InitFlags.InitReserved, "init-reserved cannot be switched on")]
    [InlineData(InitFlags.HasInodeDax, "has-inode-dax cannot be switched on")]
    [InlineData(InitFlags.RequestTimeout, "request-timeout needs")]
    public void FlagsThatContradictThemselvesAreRefused(InitFlags flags, string expected)
    {
        var options = new SessionOptions { Enabled = SessionOptions.Default | flags };
        Assert.Contains(expected, Assert.Single(options.Validate()));
        string message = Assert.Throws<ArgumentException>(() => new FuseSession(new RecordingFileSystem(), options)).Message;
        Assert.Contains(expected, message);
    }

    [Theory]
    [InlineData(InitFlags.InitExt, "init-ext cannot be switched off")]
    [InlineData(InitFlags.BigWrites, "big-writes cannot be switched off")]
    public void FlagsThatTheSessionNeedsStayOn(InitFlags flag, string expected) =>
        Assert.Contains(expected, Assert.Single(new SessionOptions().With(flag, false).Validate()));

    [Fact]
    public void AnExclusionIsLiftedWhereOneIsSwitchedOff() =>
        Assert.Empty(new SessionOptions { Enabled = InitFlags.WritebackCache | InitFlags.Passthrough, Disabled = InitFlags.Passthrough }.Validate());

    [Fact]
    public void ReaddirplusAutoNeedsReaddirplus()
    {
        SessionOptions options = new SessionOptions().With(InitFlags.ReaddirplusAuto, true);
        Assert.Empty(options.Validate());
        Assert.Contains("readdirplus-auto needs do-readdirplus", Assert.Single(options.With(InitFlags.DoReaddirplus, false).Validate()));
    }

    [Fact]
    public void IdMapsNeedThePermissionChecksOfTheKernel()
    {
        SessionOptions options = new SessionOptions { DefaultPermissions = false }.With(InitFlags.AllowIdmap, true);
        Assert.Contains("allow-idmap needs", Assert.Single(options.Validate()));
        Assert.Empty(options.With(InitFlags.PosixAcl, true).Validate());
        Assert.Empty((options with { DefaultPermissions = true }).Validate());
    }

    [Fact]
    public void NumbersOutOfRangeAreRefusedWithTheRange()
    {
        var options = new SessionOptions();
        Refused(options with { MaxWrite = 0 }, "between 4096 and 268431360");
        Refused(options with { MaxWrite = 5000 }, "multiple of 4096");
        Refused(options with { MaxWrite = 4096 * 65536 }, "between 4096 and 268431360");
        Refused(options with { MaxReadahead = -1 }, "at least 0");
        Refused(options with { MaxBackground = 0 }, "between 1 and 65535");
        Refused(options with { CongestionThreshold = 0 }, "between 1 and max-background, which is 64");
        Refused(options with { CongestionThreshold = 65 }, "between 1 and max-background, which is 64");
        Refused(options with { TimeGran = 0 }, "between 1 and 1000000000");
        Refused(options with { TimeGran = 1_000_000_001 }, "between 1 and 1000000000");
        Refused(options with { MaxStackDepth = 0 }, "between 1 and 2");
        Refused(options with { MaxStackDepth = 3 }, "between 1 and 2");
        Assert.Empty((options with { MaxWrite = 4096, MaxReadahead = 0, MaxBackground = 1, CongestionThreshold = 1 }).Validate());
        Assert.Empty((options with { MaxWrite = 65535 * 4096, MaxBackground = 65535, TimeGran = 1_000_000_000, MaxStackDepth = 2 }).Validate());

        static void Refused(SessionOptions options, string expected) => Assert.Contains(expected, Assert.Single(options.Validate()));
    }

    [Fact]
    public void EveryErrorIsToldAtOnce() =>
        Assert.Equal(3, (new SessionOptions { MaxWrite = 1, MaxBackground = 0, TimeGran = 0 }).Validate().Count);
}
