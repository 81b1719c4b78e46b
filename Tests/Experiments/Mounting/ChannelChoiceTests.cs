using Harness.Experiments.Machine;
using Harness.Experiments.Mounting;
using Harness.Experiments.Plan;

namespace Harness.Tests.Experiments.Mounting;

/// <summary>Which channel <c>auto</c> stands for.</summary>
public sealed class ChannelChoiceTests
{
    [Theory]
    [InlineData(Knobs.DevFuse)]
    [InlineData(Knobs.Clone)]
    [InlineData(Knobs.IoUring)]
    public void WhatIsAskedForIsTaken(string channel) => Assert.Equal(channel, Spec((Knobs.Channel, channel)).Channel);

    [Fact]
    public void RingsAreTakenWhereTheyCanBeHad() => Assert.Equal(UringSupport.CanBeHad ? Knobs.IoUring : Knobs.DevFuse, Spec().Channel);

    [Fact]
    public void AStoreWithALatencyWantsMoreInFlightThanRingsHold() => Assert.Equal(Knobs.DevFuse, Spec((Knobs.Latency, "200us")).Channel);

    [Fact]
    public void AKeptMountHasNoRings() => Assert.Equal(Knobs.DevFuse, (Spec() with { Keep = true }).Channel);

    [Fact]
    public void RingsThatNobodyAskedForTakeNoGigabytes() =>
        Assert.Equal(Knobs.DevFuse, Spec((Knobs.QueueDepth, "1024"), (Knobs.MaxWrite, "4M")).Channel);

    private static MountSpec Spec(params (Knob Knob, string Value)[] knobs) => new()
    {
        Backend = new Backend(Backend.Null, null),
        MountPoint = "/",
        Knobs = knobs.Aggregate(KnobSettings.None, (all, one) => all.With(one.Knob, one.Knob.Kind.Parse(one.Value))),
    };
}
