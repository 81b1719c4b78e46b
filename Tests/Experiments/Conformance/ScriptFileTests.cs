using Harness.Experiments.Conformance;
using Harness.Experiments.Plan;

namespace Harness.Tests.Experiments.Conformance;

public sealed class ScriptFileTests
{
    [Theory]
    [InlineData("mmap f 0 4096", "the call 'mmap' is not modelled")]
    [InlineData("pread f 0", "pread needs handle number length")]
    [InlineData("pread f x 10", "allowed: a whole number")]
    [InlineData("pread f -1 10", "allowed: a whole number")]
    [InlineData("pread f 0 -10", "allowed: a length in bytes, 0 to 64M")]
    [InlineData("write f 65M", "allowed: a length in bytes, 0 to 64M")]
    [InlineData("aio f 0 4K 100001 reads", "allowed: a whole number, 0 to 100000")]
    [InlineData("sleep -1", "allowed: a whole number, 0 to 100000")]
    [InlineData("stat /a", "allowed: a path below the mount")]
    [InlineData("stat a/../../b", "allowed: a path below the mount")]
    [InlineData("chmod a 8", "allowed: an octal mode")]
    [InlineData("open g a rdwr backwards", "allowed here: rdonly")]
    [InlineData("close g", "no open file is called 'g'")]
    public void AWrongStepIsRefusedWithItsPlaceAndWhatIsAllowed(string step, string complaint)
    {
        (_, IReadOnlyList<PlanError> errors) = ScriptFile.Parse("x.yaml", $"scripts:\n  - name: a\n    steps:\n      - open f a rdwr\n      - {step}\n");
        PlanError error = Assert.Single(errors);
        Assert.Equal(5, error.Line);
        Assert.Contains(complaint, error.Message);
    }

    [Fact]
    public void AScriptWithNegativeThreadsIsRefusedWithItsPlaceAndWhatIsAllowed()
    {
        (_, IReadOnlyList<PlanError> errors) = ScriptFile.Parse("x.yaml", "scripts:\n  - name: a\n    mount: {threads: -1}\n    steps: [stat a]\n");
        PlanError error = Assert.Single(errors);
        Assert.Equal(("x.yaml", 3), (error.File, error.Line));
        Assert.Contains("1 to 256", error.ToString());
    }

    [Theory]
    [InlineData("cache-dir: on", "cache-dir=on is not modelled")]
    [InlineData("request-timeout: 5s", "request-timeout=5s is not modelled")]
    public void AKnobThatIsNotModelledIsRefusedByName(string mount, string says)
    {
        (_, IReadOnlyList<PlanError> errors) =
            ScriptFile.Parse("x.yaml", $"scripts:\n  - name: a\n    mount: {{{mount}}}\n    steps: [stat a]\n");
        Assert.Contains(says, Assert.Single(errors).Message);
    }

    [Fact]
    public void AScriptReadsBackAsItWasWritten()
    {
        Script script = RandomScripts.Generate(3, 4);
        (IReadOnlyList<Script> read, IReadOnlyList<PlanError> errors) = ScriptFile.Parse("x.yaml", script.ToYaml());
        Assert.Empty(errors);
        Assert.Equal(script.Steps.Select(step => step.ToString()), Assert.Single(read).Steps.Select(step => step.ToString()));
        Assert.Equal(script.Knobs.ToString(), read[0].Knobs.ToString());
    }
}
