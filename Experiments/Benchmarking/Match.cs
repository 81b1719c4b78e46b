using Harness.Runtime;

namespace Harness.Experiments.Benchmarking;

/// <summary>Two contenders that are compared, and the question that they answer.</summary>
/// <param name="Group">The question, one of the names here; its matches are summed up in one figure.</param>
/// <param name="Ours">Our side.</param>
/// <param name="Peer">The other, to which ratios are.</param>
internal sealed record Match(string Group, Contender Ours, Contender Peer)
{
    /// <summary>Everything alike: threads, descriptors, message size, INIT flags, CPUs.</summary>
    public const string LikeForLike = "like for like";

    /// <summary>Against bare C, everything alike, pinned and not.</summary>
    public const string OfTheFloor = "of the floor";

    /// <summary>Each side as it is without options.</summary>
    public const string OutOfTheBox = "out of the box";

    /// <summary>Against the user's own command.</summary>
    public const string BesideThePeer = "beside the peer";

    /// <summary>The questions that the command answers by itself, in the order of its last line.</summary>
    public static IReadOnlyList<string> StandardGroups { get; } = [LikeForLike, OfTheFloor, OutOfTheBox];

    /// <summary>What both sides have in common.</summary>
    public Shape Shape => Ours.Shape;

    /// <summary>A heading: <c>like for like, io-uring: harness against libfuse</c>.</summary>
    public string Title => $"{Group}, {Shape}: {Ours.Server} against {Peer.Server}";

    /// <summary>All matches of the command by itself.</summary>
    public static IReadOnlyList<Match> Standard(Topology topology) =>
    [
        .. Shape.Channels.Select(shape => LikeForLikeMatch(shape, Placement.Pinned(shape, topology))),
        .. Shape.Channels.Select(shape => FloorMatch(OfTheFloor, shape, Placement.Pinned(shape, topology))),
        .. Shape.Channels.Select(shape => FloorMatch(OfTheFloor, shape, Placement.Free)),
        new Match(
            OutOfTheBox, new HarnessContender(Shape.Default, Placement.Free), new LibfuseContender(Shape.Default, Placement.Free)),
    ];

    /// <summary>The matches of a user's command: with each shape, or with one.</summary>
    public static IReadOnlyList<Match> Beside(string command, Shape? shape, Topology topology) =>
    [
        .. from each in shape is null ? Shape.Channels : [shape]
           let placement = each.Channel is null ? Placement.Free : Placement.Pinned(each, topology)
           select new Match(BesideThePeer, new HarnessContender(each, placement), new CommandContender(command, each, placement)),
    ];

    // Debian's libfuse has no io_uring: there bare C stands for it.
    private static Match LikeForLikeMatch(Shape shape, Placement placement) => shape.IsRing
        ? FloorMatch(LikeForLike, shape, placement)
        : new Match(LikeForLike, new HarnessContender(shape, placement), new LibfuseContender(shape, placement));

    private static Match FloorMatch(string group, Shape shape, Placement placement) =>
        new(group, new HarnessContender(shape, placement), new FloorContender(shape, placement));
}
