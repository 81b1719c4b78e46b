using Harness.Experiments.Benchmarking;
using Harness.Experiments.Commands;

namespace Harness.Tests.Experiments.Benchmarking;

/// <summary>What the command line accepts.</summary>
public sealed class BenchCommandTests
{
    [Theory]
    [InlineData("--only dev-fuse", "dev-fuse-1")]
    [InlineData("--peer x --shape io-uring", "{}")]
    [InlineData("--shape io-uring", "--only")]
    [InlineData("--peer {} --only io-uring", "--shape")]
    [InlineData("--peer {} --shape ring", "io-uring")]
    [InlineData("--blocks 1", "2")]
    [InlineData("--blocks many", "number")]
    [InlineData("--runtime 1ms", "50ms")]
    [InlineData("--runtime 3", "unit")]
    public async Task WrongArgumentsAreRefusedWithWhatIsAllowed(string arguments, string hint)
    {
        BadArgumentsException refusal = await Assert.ThrowsAsync<BadArgumentsException>(() => Invoke(arguments));
        Assert.Contains(hint, refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--bogus")]
    [InlineData("--blocks")]
    public void UnknownOptionsAndMissingValuesAreErrorsOfTheParser(string arguments) =>
        Assert.NotEmpty(BenchCommand.Create().Parse($"channels {arguments}").Errors);

    [Fact]
    public void EveryCombinationThatMeansSomethingIsAccepted()
    {
        ChannelBenchOptions[] good =
        [
            new(), new() { Only = Shape.Default }, new() { Peer = "x {}" }, new() { Peer = "x {}", Shape = Shape.Default },
        ];
        Assert.All(good, options => Assert.Same(options, BenchCommand.Check(options)));
    }

    private static Task<int> Invoke(string arguments) => BenchCommand.Create().Parse($"channels {arguments}")
        .InvokeAsync(new System.CommandLine.InvocationConfiguration { EnableDefaultExceptionHandler = false });
}
