using Harness.Transport.Simulated;

namespace Harness.Experiments.Conformance;

/// <summary>Runs scripts in both worlds and counts those that agree.</summary>
/// <param name="output">Where differences and the closing line go.</param>
/// <param name="real">Runs a script on the real kernel.</param>
/// <param name="prepare">Called with each simulated mount before its first request, by tests.</param>
internal sealed class ConformanceRun(
    TextWriter output, Func<Script, IReadOnlyList<StepRecord>> real, Action<SimulatedMount>? prepare = null)
{
    // Somebody's sync(2) holds inodes for a moment, and then a FORGET comes a step later: the real side is looked at again before a
    // difference counts.
    private const int SecondLooksMax = 2;

    /// <summary>Scripts that agreed only when the real side ran again.</summary>
    public int SecondLooks { get; private set; }

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
            IReadOnlyList<StepRecord> simulated = SimulatedWorld.Run(script, prepare);
            difference = ScriptComparison.Difference(script, real(script), simulated);
            for (int i = 0; i < SecondLooksMax && difference is not null; i++)
            {
                difference = ScriptComparison.Difference(script, real(script), simulated);
                SecondLooks += difference is null ? 1 : 0;
            }
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
        output.WriteLine($"  the script: {string.Join(", ", script.Steps)}");
    }

    /// <summary>Prints the closing line.</summary>
    public void Close() => output.WriteLine($"{Scripts} scripts, {Equal} equal{(SecondLooks > 0 ? $" ({SecondLooks} at a second look)" : "")}");
}
