using Harness.Transport.Simulated.Files;
using Harness.Transport.Simulated.Names;
using Harness.Transport.Simulated.Pages;
using Harness.Transport.Simulated.Requests;

namespace Harness.Transport.Simulated.Calls;

/// <summary>The parts of a simulated kernel that system calls are made of.</summary>
internal sealed record KernelRooms
{
    public required FuseConnection Connection { get; init; }

    public required InodeTable Inodes { get; init; }

    public required AttributeCache Attributes { get; init; }

    public required PathWalk Walk { get; init; }

    public required FileReleases Files { get; init; }

    public required Writeback Writeback { get; init; }

    public required Readahead Readahead { get; init; }

    public required BufferedReads Reads { get; init; }

    public required ThroughWrites Through { get; init; }

    public required BackWrites Back { get; init; }

    public required DirectIo Direct { get; init; }
}
