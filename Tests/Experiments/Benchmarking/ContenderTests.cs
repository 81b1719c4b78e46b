using System.CommandLine;
using Harness.Experiments.Benchmarking;
using Harness.Experiments.Commands;
using Harness.Experiments.Machine;
using Harness.Experiments.Plan;
using Harness.Runtime;

namespace Harness.Tests.Experiments.Benchmarking;

/// <summary>How the two sides of a comparison are started, and where they run.</summary>
public sealed class ContenderTests
{
    public static TheoryData<string, int, string, string, string> Placements => new()
    {
        // Shape, CPUs, the daemon's, one job's, several jobs'.
        { "dev-fuse-1", 1, "0", "0", "0" },
        { "dev-fuse-1", 2, "1", "0", "0" },
        { "dev-fuse-1", 4, "1", "0", "0,2-3" },
        { "dev-fuse-2", 1, "0", "0", "0" },
        { "dev-fuse-2", 2, "0-1", "0", "0-1" },
        { "clone-2", 4, "0-1", "0", "0-3" },
        { "io-uring", 4, "0-3", "0", "0-3" },
    };

    [Theory]
    [MemberData(nameof(Placements))]
    public void BothSidesOfAShapeHaveTheSameCpus(string name, int cpus, string daemon, string oneJob, string manyJobs)
    {
        var placement = Placement.Pinned(Shape.All.Single(shape => shape.Name == name), Machine(cpus));
        Assert.Equal((daemon, oneJob, manyJobs), ($"{placement.Daemon}", $"{placement.Application(1)}", $"{placement.Application(4)}"));
        foreach (Match match in Match.Standard(Machine(cpus)))
        {
            Assert.Same(match.Ours.Placement, match.Peer.Placement);
            Assert.Same(match.Ours.Shape, match.Peer.Shape);
        }
    }

    [Fact]
    public void WhatIsPinnedIsStartedByTaskset()
    {
        Assert.Equal(["taskset", "-c", "0,2-3", "x", "y"], PinnedCommand.On(CpuSet.Parse("0,2-3"), ["x", "y"]));
        Assert.Equal(["x", "y"], PinnedCommand.On(null, ["x", "y"]));
        Assert.Null(Placement.Free.Application(1) ?? Placement.Free.Application(4) ?? Placement.Free.Daemon);
    }

    [Fact]
    public void TheMountCommandUnderstandsEveryShape()
    {
        foreach (Shape shape in Shape.All)
        {
            var command = new Command("mount");
            var knobs = new KnobOptions(command);
            KnobSettings asked = shape.Harness(pinned: true);
            ParseResult parsed = command.Parse(asked.MountArguments());
            Assert.Empty(parsed.Errors);
            KnobSettings read = knobs.Read(parsed);
            Assert.All(Knobs.All, knob => Assert.Equal(asked[knob], read[knob]));
        }
    }

    [Fact]
    public void OurSideAndTheFloorAgreeOnThreadsDescriptorsRingsAndPlaces()
    {
        Assert.Equal("--threads 1 --max-background 64 --timeout 3600", Line(Shape.DevFuse1.Floor(pinned: true)));
        Assert.Equal("--threads 2 --clone --max-background 64 --timeout 3600", Line(Shape.Clone2.Floor(pinned: true)));
        Assert.Equal("--threads 1 --ring 8 --pin --max-background 64 --timeout 3600", Line(Shape.Ring.Floor(pinned: true)));
        Assert.Equal("--threads 1 --ring 8 --max-background 64 --timeout 3600", Line(Shape.Ring.Floor(pinned: false)));
        KnobSettings pinned = Shape.Ring.Harness(pinned: true);
        Assert.Equal(
            ("io-uring", 8, "cpu", 64, 3600L * 1_000_000_000),
            (pinned[Knobs.Channel].Text, pinned[Knobs.QueueDepth].Number, pinned[Knobs.Affinity].Text, pinned[Knobs.MaxBackground].Number,
                pinned[Knobs.EntryTimeout].Number));
        Assert.Equal("none", Shape.Ring.Harness(pinned: false)[Knobs.Affinity].Text);
        Assert.Equal(("clone", 2), (Shape.Clone2.Harness(true)[Knobs.Channel].Text, Shape.Clone2.Harness(true)[Knobs.Threads].Number));
    }

    [Fact]
    public void OutOfTheBoxNobodyIsToldAnything()
    {
        Assert.Empty(Shape.Default.Harness(pinned: false).Knobs);
        Assert.Empty(Shape.Default.Libfuse());
        Match match = Match.Standard(Machine(2)).Single(each => each.Group == Match.OutOfTheBox);
        Assert.Equal((Placement.Free, Shape.Default), (match.Ours.Placement, match.Ours.Shape));
    }

    [Fact]
    public void ACommandGetsTheMountPointWhereverItsMarkStands()
    {
        var contender = new CommandContender("env A=1 x -f {} --log {}.log", Shape.Default, Placement.Free);
        Assert.Equal(["/bin/sh", "-c", "exec env A=1 x -f '/tmp/a b' --log '/tmp/a b'.log"], contender.CommandLine("/tmp/a b").TakeLast(3));
    }

    [Fact]
    public void ACommandIsPutBesideOneShapeOrBesideEachChannel()
    {
        Assert.Equal(Shape.Channels, Match.Beside("x {}", null, Machine(2)).Select(match => match.Shape));
        Match only = Assert.Single(Match.Beside("x {}", Shape.Default, Machine(2)));
        Assert.False(only.Ours.Placement.IsPinned);
        Assert.True(Assert.Single(Match.Beside("x {}", Shape.Ring, Machine(2))).Peer.Placement.IsPinned);
    }

    private static string Line(IEnumerable<string> words) => string.Join(' ', words);

    private static Topology Machine(int cpus)
    {
        var all = new CpuSet(Enumerable.Range(0, cpus));
        return new Topology(all, all, [new NumaNode(0, all, [10])]);
    }
}
