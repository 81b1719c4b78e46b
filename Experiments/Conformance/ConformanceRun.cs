using Harness.Transport.Simulated;

namespace Harness.Experiments.Conformance;

/// <summary>Runs scripts in both worlds and counts those that agree.</summary>
/// <param name="output">Where differences and the closing line go.</param>
/// <param name="real">Runs a script on the real kernel.</param>
/// <param name="prepare">Called with each simulated mount before its first request, by tests.</param>
internal sealed class ConformanceRun(
    TextWriter output, Func<Script, IReadOnlyList<StepRecord>> real, Action<SimulatedMount>? prepare = null)
{
    /// <summary>Scripts that were run.</summary>
    public int Scripts { get; private set; }

    /// <summary>Those of them that came to the same in both worlds.</summary>
    public int Equal { get; private set; }

    /// <summary>Runs one script in both worlds; prints how they differ if they do.</summary>
    public void Add(Script script)
    {
        Scripts++;
        string? difference;
        try
        {
            difference = ScriptComparison.Difference(script, real(script), SimulatedWorld.Run(script, prepare));
        }
        catch (NotSupportedException refusal)
        {
            difference = $"refused: {refusal.Message}";
        }

        if (difference is null)
        {
            Equal++;
            return;
        }

        output.WriteLine($"{script.Name}: {difference}");
        output.WriteLine($"  with {script.Knobs}");
    }

    /// <summary>Prints the closing line.</summary>
    public void Close() => output.WriteLine($"{Scripts} scripts, {Equal} equal");
}
