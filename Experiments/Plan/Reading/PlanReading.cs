using Harness.Experiments.Plan.Values;

namespace Harness.Experiments.Plan.Reading;

/// <summary>What came of reading a plan file: experiments or errors, never both.</summary>
/// <param name="Text">The file's text, to be kept beside the results.</param>
/// <param name="Experiments">In the order of the file; empty if there are errors.</param>
/// <param name="Errors">In the order of the file; the caller prints them and exits with 2.</param>
internal sealed record PlanReading(string Text, IReadOnlyList<Experiment> Experiments, IReadOnlyList<PlanError> Errors)
{
    public bool IsValid => Errors.Count == 0;

    /// <summary>The plan with one experiment only (<c>--only NAME</c>), or an error that names the nearest.</summary>
    /// <param name="name">The experiment's name, spelled as in the file.</param>
    /// <param name="file">The file's name for the message.</param>
    public PlanReading Only(string name, string file)
    {
        if (!IsValid)
        {
            return this;
        }

        Experiment? found = Experiments.FirstOrDefault(experiment => experiment.Name == name);
        if (found is not null)
        {
            return this with { Experiments = [found] };
        }

        IEnumerable<string> names = Experiments.Select(experiment => experiment.Name);
        string hint = NearestName.Hint(name, names);
        string message = Complaint.Allowing($"--only: no experiment has the name {Quoted.Text(name)}{hint}", string.Join(", ", names));
        return this with { Experiments = [], Errors = [new PlanError(file, 0, 0, message)] };
    }

    /// <summary>The plan as <c>--quick</c> runs it.</summary>
    public PlanReading Quick() => this with { Experiments = [.. Experiments.Select(experiment => experiment.Quick())] };
}
