using Harness.Experiments.Conformance;
using Harness.Tests.Mounts;
using Harness.Transport.Simulated;

namespace Harness.Tests.Experiments.Conformance;

/// <summary>
/// Conformance with the real kernel, by every third script and some generated ones, and against a kernel that is broken on purpose. All scripts are
/// <c>./harness conformance</c>, which takes ten seconds.
/// </summary>
public sealed class ConformanceTests
{
    private static IEnumerable<string> Names => Directory.GetFiles(ScriptFile.Directory, "*.yaml").Select(file => Path.GetFileName(file)!);

    [Theory]
    [InlineData((int)KernelFault.WrongSplit, "direct-split")]
    [InlineData((int)KernelFault.SkippedFlush, "write-fsync")]
    [InlineData((int)KernelFault.LostForget, "rename-over-a-file")]
    [InlineData((int)KernelFault.ReadaheadPastEnd, "read-past-the-end")]
    [InlineData((int)KernelFault.BackgroundLimitOffByOne, "aio-over-the-background-limit")]
    public void APlantedFaultIsFound(int fault, string name)
    {
        Script script = AllScripts().Single(candidate => candidate.Name == name);
        IReadOnlyList<StepRecord> right = SimulatedWorld.Run(script);
        Assert.NotNull(ScriptComparison.Difference(script, right, SimulatedWorld.Run(script, mount => mount.Faults = (KernelFault)fault)));
    }

    [RealMountFact]
    public void TheRealKernelSendsTheSameMessages()
    {
        const int every = 3;
        const int generated = 15;
        const ulong seed = 11;
        using var output = new StringWriter();
        var run = new ConformanceRun(output, RealWorld.Run);
        foreach (Script script in AllScripts().Where((_, i) => i % every == 0))
        {
            run.Add(script);
        }

        for (int i = 0; i < generated; i++)
        {
            run.Add(RandomScripts.Generate(seed, i));
        }

        Assert.True(run.Equal == run.Scripts, $"{output}\n./harness conformance, and for generated scripts --random {generated} --seed {seed}");
    }

    [Fact]
    public void EveryScriptRunsInSimulation()
    {
        Script[] scripts = [.. AllScripts()];
        Assert.True(scripts.Length >= 60);
        Assert.All(scripts, script => Assert.Equal(script.Steps.Count, SimulatedWorld.Run(script).Count));
    }

    [Fact]
    public void AScriptGivesTheSameMessagesEachTime()
    {
        Script script = RandomScripts.Generate(7, 7);
        Assert.Null(ScriptComparison.Difference(script, SimulatedWorld.Run(script), SimulatedWorld.Run(script)));
    }

    private static IEnumerable<Script> AllScripts() => Enumerable.SelectMany(Names, Load);

    private static IReadOnlyList<Script> Load(string file)
    {
        (IReadOnlyList<Script> scripts, var errors) = ScriptFile.Load(Path.Combine(ScriptFile.Directory, file));
        Assert.Empty(errors);
        return scripts;
    }
}
