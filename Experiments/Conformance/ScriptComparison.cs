using System.Text;

namespace Harness.Experiments.Conformance;

/// <summary>Compares what a script came to in the two worlds.</summary>
internal static class ScriptComparison
{
    /// <summary>The first step that differs, for a person to read; null if none does.</summary>
    public static string? Difference(Script script, IReadOnlyList<StepRecord> real, IReadOnlyList<StepRecord> simulated)
    {
        for (int i = 0; i < script.Steps.Count; i++)
        {
            string? what = StepDifference(script, real[i], simulated[i]);
            if (what is not null)
            {
                return $"step {i + 1}: {script.Steps[i]}\n{what}";
            }
        }

        return null;
    }

    private static string? StepDifference(Script script, StepRecord real, StepRecord simulated)
    {
        if (real.Outcome != simulated.Outcome)
        {
            return $"  the call returned\n    real:      {real.Outcome}\n    simulated: {simulated.Outcome}\n{Listing(real, simulated)}";
        }

        List<string> inReal = Lines(script.Comparison, real.Messages);
        List<string> inSimulated = Lines(script.Comparison, simulated.Messages);
        if (!inReal.SequenceEqual(inSimulated))
        {
            return Listing(inReal, inSimulated);
        }

        return script.ComparesInFlight && real.InFlightMax != simulated.InFlightMax
            ? $"  requests unanswered at once\n    real:      {real.InFlightMax}\n    simulated: {simulated.InFlightMax}"
            : null;
    }

    /// <summary>The messages in a form in which equal is equal, by the rule of the script.</summary>
    private static List<string> Lines(Comparison comparison, IReadOnlyList<ObservedMessage> messages) => comparison switch
    {
        Comparison.Order => [.. messages.Select(message => message.ToString())],
        Comparison.Multiset => [.. messages.Select(message => message.ToString()).Order(StringComparer.Ordinal)],
        _ => [.. Covered(messages)],
    };

    /// <summary>Reads and writes as the ranges of bytes that they cover together, the others as they are; times that are told twice once.</summary>
    private static IEnumerable<string> Covered(IReadOnlyList<ObservedMessage> messages)
    {
        IEnumerable<string> others = messages.Where(message => message.Kind is not ("READ" or "WRITE") && !message.IsTimesOnly)
            .Select(message => message.ToString())
            .Order(StringComparer.Ordinal);
        IEnumerable<string> ranges =
            from message in messages
            where message.Kind is "READ" or "WRITE"
            group (From: message.Offset!.Value, To: message.Offset.Value + message.Size!.Value) by (message.Kind, message.NodeId) into file
            orderby file.Key.Kind, file.Key.NodeId
            from range in Merge(file.Order())
            select $"{file.Key.Kind} node={file.Key.NodeId} covers {range.From} to {range.To}";
        return others.Concat(ranges);
    }

    private static IEnumerable<(ulong From, ulong To)> Merge(IEnumerable<(ulong From, ulong To)> ranges)
    {
        (ulong From, ulong To)? open = null;
        foreach ((ulong from, ulong to) in ranges)
        {
            if (open is { } last && from <= last.To)
            {
                open = (last.From, Math.Max(last.To, to));
                continue;
            }

            if (open is { } closed)
            {
                yield return closed;
            }

            open = (from, to);
        }

        if (open is { } end)
        {
            yield return end;
        }
    }

    private static string Listing(StepRecord real, StepRecord simulated) =>
        Listing([.. real.Messages.Select(message => message.ToString())], [.. simulated.Messages.Select(message => message.ToString())]);

    /// <summary>Both lists, with what only one of them has marked.</summary>
    private static string Listing(List<string> real, List<string> simulated)
    {
        const int shown = 40;
        var text = new StringBuilder();
        int same = 0;
        while (same < real.Count && same < simulated.Count && real[same] == simulated[same])
        {
            text.Append($"    both:      {real[same++]}\n");
        }

        foreach (string line in real.Skip(same).Take(shown))
        {
            text.Append($"    real:      {line}\n");
        }

        foreach (string line in simulated.Skip(same).Take(shown))
        {
            text.Append($"    simulated: {line}\n");
        }

        return text.ToString().TrimEnd('\n');
    }
}
