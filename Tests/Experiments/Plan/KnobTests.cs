using Harness.Experiments.Plan;

namespace Harness.Tests.Experiments.Plan;

public class KnobTests
{
    [Fact]
    public void EveryDefaultIsAValueThatThePlanCouldName() => Assert.All(Knobs.All, knob =>
        Assert.Equal(knob.Default(KnobSettings.None), knob.Kind.Parse(knob.Default(KnobSettings.None).Text)));

    [Fact]
    public void NamesAreUniqueAndTheTableHasEveryKnob()
    {
        Assert.Equal(Knobs.All.Count, Knobs.All.Select(knob => knob.Name).Distinct().Count());
        Assert.Subset(
            Knobs.All.Select(knob => knob.Name).ToHashSet(),
            new HashSet<string>
            {
                "channel", "affinity", "queue-depth", "threads", "max-write", "async-dio", "writeback", "max-background", "congestion-threshold",
                "max-readahead", "latency", "entry-timeout", "attr-timeout", "direct-io", "keep-cache", "parallel-direct-writes", "request-timeout",
                "parallel-dirops", "no-open-support", "cache-symlinks", "handle-killpriv-v2", "do-readdirplus", "kernel-passthrough",
            });
        Assert.All(Knobs.All, knob => Assert.NotEmpty(knob.Effect));
    }

    [Fact]
    public void LabelsOfDifferentKnobsNeverLookAlike()
    {
        string[] values = ["on", "off", "0", "4", "12", "4K", "1M", "0us", "200us", "dev-fuse", "cpu"];
        string[] labels =
        [
            .. from knob in Knobs.All
               from level in values.Where(value => knob.Kind.TryParse(value, out _, out _)).Select(knob.Kind.Parse).Distinct()
               select knob.Label(level),
        ];
        Assert.Equal(Knobs.All, Knobs.All.Where(knob => values.Any(value => knob.Kind.TryParse(value, out _, out _))));
        Assert.Equal(labels.Length, labels.Distinct().Count());
    }

    [Fact]
    public void ValueBecomesAnOptionAndASwitchOneOfTwoWords()
    {
        AssertArguments("--async-dio --no-writeback", "async-dio=on writeback=off");
        AssertArguments("--no-async-dio --writeback", "async-dio=off writeback=on");
        AssertArguments(
            "--latency 200us --channel dev-fuse --threads 4 --max-write 1M --max-background 64 --congestion-threshold 9 --max-readahead 0",
            "latency=200us channel=dev-fuse threads=4 max-write=1M max-background=64 congestion-threshold=9 max-readahead=0");
    }

    [Fact]
    public void CongestionThresholdFollowsMaxBackgroundUntilItIsSet()
    {
        Assert.Equal(48, KnobSettings.None[Knobs.CongestionThreshold].Number);
        Assert.Equal(9, Settings("max-background=12")[Knobs.CongestionThreshold].Number);
        Assert.Equal(1, Settings("max-background=1")[Knobs.CongestionThreshold].Number);
        Assert.Equal(5, Settings("max-background=64 congestion-threshold=5")[Knobs.CongestionThreshold].Number);
    }

    [Fact]
    public void MessageSizeImpliesItsPages()
    {
        Assert.Equal(256, Knobs.MaxPages(KnobSettings.None));
        Assert.Equal(1, Knobs.MaxPages(Settings("max-write=4K")));
        Assert.Equal(65_535, Knobs.MaxPages(Settings("max-write=262140K")));
    }

    [Fact]
    public void KnobCannotBeSetTwice() => Assert.Throws<ArgumentException>(() => Settings("threads=1 threads=2"));

    /// <summary>Settings from the form in which they are printed.</summary>
    internal static KnobSettings Settings(string text) => text.Split(' ').Aggregate(KnobSettings.None, (settings, pair) =>
    {
        string[] parts = pair.Split('=');
        Knob knob = Knobs.All.Single(knob => knob.Name == parts[0]);
        return settings.With(knob, knob.Kind.Parse(parts[1]));
    });

    private static void AssertArguments(string arguments, string settings)
    {
        Assert.Equal(arguments, string.Join(' ', Settings(settings).MountArguments()));
        Assert.Equal(settings, Settings(settings).ToString());
    }
}
