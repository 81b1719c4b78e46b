using Harness.Experiments.Plan.Yaml;

namespace Harness.Experiments.Plan.Reading;

/// <summary>Collects what is wrong with one file, so that a person mends it in one go.</summary>
internal sealed class Problems(string file)
{
    /// <summary>The most errors that are reported one by one; the rest is counted.</summary>
    public const int ReportedMax = 50;

    private readonly HashSet<PlanError> seen = [];
    private readonly List<PlanError> errors = [];
    private int unreported;

    public bool Any => errors.Count > 0;

    /// <summary>Further errors are only counted.</summary>
    public bool IsFull => errors.Count >= ReportedMax;

    /// <summary>Adds an error; one that an alias brings up again counts once.</summary>
    public void Add(SourceMark mark, string message)
    {
        var error = new PlanError(file, mark.Line, mark.Column, message);
        if (IsFull)
        {
            unreported++;
        }
        else if (seen.Add(error))
        {
            errors.Add(error);
        }
    }

    /// <summary>All errors in the order of the file.</summary>
    public IReadOnlyList<PlanError> InOrder()
    {
        IEnumerable<PlanError> ordered = errors.OrderBy(error => error.Line).ThenBy(error => error.Column);
        return unreported == 0 ? [.. ordered] : [.. ordered, new PlanError(file, 0, 0, $"and {unreported} more errors")];
    }
}
