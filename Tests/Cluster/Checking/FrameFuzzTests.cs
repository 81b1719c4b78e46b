using Harness.Cluster.Checking;
using Harness.Tests.Experiments.Backends;

namespace Harness.Tests.Cluster.Checking;

public sealed class FrameFuzzTests
{
    [Fact]
    public void MalformedFramesCostTheirConnectionAndNothingElse() => RandomRun.WithSeed(static seed =>
    {
        FrameFuzzReport report = FrameFuzz.Run(20_000, seed);
        Assert.Null(report.Failure);
        Assert.InRange(report.Closed, 1_000, report.Connections);
    });
}
