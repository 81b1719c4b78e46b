using Harness.Experiments.Plan;

namespace Harness.Experiments.Conformance;

/// <summary>How the messages of the two worlds are compared.</summary>
internal enum Comparison
{
    /// <summary>One by one: where a single thread waits for each.</summary>
    Order,

    /// <summary>As a multiset within each step: where messages overtake each other.</summary>
    Multiset,

    /// <summary>Reads and writes by the bytes that they cover: where the kernel's flusher chooses the batches. The others as a multiset.</summary>
    Coverage,
}

/// <summary>A sequence of system calls, and the mount on which they are made in both worlds.</summary>
internal sealed record Script
{
    /// <summary>Its name, unique among the scripts.</summary>
    public required string Name { get; init; }

    /// <summary>The knobs of the mount.</summary>
    public required KnobSettings Knobs { get; init; }

    /// <summary>How messages are compared.</summary>
    public Comparison Comparison { get; init; }

    /// <summary>Whether the most requests that the daemon holds at once are compared too.</summary>
    public bool ComparesInFlight { get; init; }

    /// <summary>The calls.</summary>
    public required IReadOnlyList<ScriptStep> Steps { get; init; }

    /// <summary>The script as a file has it, to be kept and run again.</summary>
    public string ToYaml()
    {
        string knobs = string.Join(", ", Knobs.Knobs.Select(knob => $"{knob}: {Knobs[knob]}"));
        string steps = string.Concat(Steps.Select(step => $"      - {step}\n"));
        return $"scripts:\n  - name: {Name}\n    mount: {{{knobs}}}\n    compare: {Comparison.ToString().ToLowerInvariant()}\n    steps:\n{steps}";
    }
}
