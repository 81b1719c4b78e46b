using Harness.Results.Records;

namespace Harness.Experiments.Running;

/// <summary>Is told how a run gets on.</summary>
internal interface IRunProgress
{
    /// <summary>A trial starts.</summary>
    /// <param name="trial">What is tried, for people.</param>
    /// <param name="done">Trials that have ended.</param>
    /// <param name="total">Trials in all.</param>
    /// <param name="left">How long the rest will take.</param>
    void Started(string trial, int done, int total, TimeSpan left);

    /// <summary>A trial has ended, well or not.</summary>
    void Finished(TrialRecord record);
}
