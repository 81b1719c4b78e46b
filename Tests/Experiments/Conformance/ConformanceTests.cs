using Harness.Experiments.Conformance;
using Harness.Tests.Mounts;
using Harness.Transport.Simulated;

namespace Harness.Tests.Experiments.Conformance;

/// <summary>The simulated kernel against the real one, and conformance against a kernel that is broken on purpose.</summary>
public sealed class ConformanceTests
{
    public static TheoryData<string> Files => [.. Names];

    private static IEnumerable<string> Names => Directory.GetFiles(ScriptFile.Directory, "*.yaml").Select(file => Path.GetFileName(file)!);

    [RealMountTheory]
    [MemberData(nameof(Files))]
    public void TheSimulatedKernelSendsWhatTheRealOneSends(string file)
    {
        var output = new StringWriter();
        ConformanceRun run = Run(Load(file), output, KernelFault.None);
        Assert.True(run.Equal == run.Scripts, output.ToString());
    }

    [RealMountFact]
    public void GeneratedScriptsAreEqualToo()
    {
        const ulong seed = 20_261_122;
        const int count = 20;
        var output = new StringWriter();
        ConformanceRun run = Run(Enumerable.Range(0, count).Select(i => RandomScripts.Generate(seed, i)), output, KernelFault.None);
        Assert.True(run.Equal == run.Scripts, $"{output}\nreplay: ./harness conformance --random {count} --seed {seed}");
    }

    [RealMountTheory]
    [InlineData((int)KernelFault.WrongSplit, "direct-split")]
    [InlineData((int)KernelFault.SkippedFlush, "write-fsync")]
    [InlineData((int)KernelFault.LostForget, "rename-over-a-file")]
    [InlineData((int)KernelFault.ReadaheadPastEnd, "read-past-the-end")]
    [InlineData((int)KernelFault.BackgroundLimitOffByOne, "aio-over-the-background-limit")]
    public void APlantedFaultIsFound(int fault, string script)
    {
        Script[] scripts = [.. AllScripts().Where(candidate => candidate.Name == script)];
        var output = new StringWriter();
        Assert.Single(scripts);
        Assert.True(Run(scripts, output, KernelFault.None).Equal == 1, output.ToString());
        Assert.Equal(0, Run(scripts, output, (KernelFault)fault).Equal);
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

    private static ConformanceRun Run(IEnumerable<Script> scripts, TextWriter output, KernelFault fault)
    {
        var run = new ConformanceRun(output, RealWorld.Run, mount => mount.Faults = fault);
        foreach (Script script in scripts)
        {
            run.Add(script);
        }

        return run;
    }
}
