using Harness.Experiments.Conformance;
using Harness.Transport.Simulated;

namespace Harness.Tests.Experiments.Conformance;

/// <summary>
/// That conformance finds what is wrong: the simulated kernel against one that is broken on purpose. Against the real one it is a command
/// (<c>./harness conformance</c>), since on a busy machine the kernel sends a RELEASE or FORGET later than any fence waits.
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
