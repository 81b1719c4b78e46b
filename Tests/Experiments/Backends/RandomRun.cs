using FsCheck;
using Xunit.Sdk;

namespace Harness.Tests.Experiments.Backends;

/// <summary>Runs tests that draw chance, from a seed that a failure tells and that can be given again.</summary>
internal static class RandomRun
{
    private const string SeedVariable = "HARNESS_TEST_SEED";

    /// <summary>Checks a property for a number of generated cases.</summary>
    public static void Check(Property property, int cases) =>
        WithSeed(seed => FsCheck.Check.One(
            Config.QuickThrowOnFailure.WithMaxTest(cases).WithQuietOnSuccess(true).WithReplay(new Replay(new Rnd(seed), null)), property));

    /// <summary>Runs a test with a seed: that of the environment, or a new one.</summary>
    public static void WithSeed(Action<ulong> test)
    {
        string? given = Environment.GetEnvironmentVariable(SeedVariable);
        ulong seed = given is null ? (ulong)new Random().NextInt64() : ulong.Parse(given);
        try
        {
            test(seed);
        }
        catch (Exception exception)
        {
            throw new XunitException($"With the seed {seed} (replay: {SeedVariable}={seed} dotnet test --filter …): {exception.Message}", exception);
        }
    }
}
