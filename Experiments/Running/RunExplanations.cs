using System.Text;
using Harness.Experiments.Commands;
using Harness.Experiments.Observing;
using Harness.Experiments.Plan;
using Harness.Results;
using Harness.Transport;
using TrialKey = Harness.Results.Records.TrialKey;

namespace Harness.Experiments.Running;

/// <summary>Where the time of a run's requests went: each workload on each configuration is watched once, in its first trial.</summary>
/// <remarks>Watching makes that trial slower by some per cent; all configurations of a block alike, so that their ratios stay fair.</remarks>
/// <param name="runDirectory">Where the tables and the picture go.</param>
internal sealed class RunExplanations(RunDirectory runDirectory)
{
    /// <summary>More than this is for the file, not for the terminal.</summary>
    private const int PrintedMax = 12;

    private static readonly TimeSpan s_watchMax = TimeSpan.FromSeconds(5);

    private readonly Dictionary<TrialKey, Explanation> _explanations = [];
    private readonly HashSet<TrialKey> _seen = [];

    /// <summary>Watches a mount while it is measured, if this is the first time.</summary>
    /// <param name="key">The experiment, the workload and the configuration.</param>
    /// <param name="mountPoint">The mount.</param>
    /// <param name="expected">How long measuring takes; the middle of it is watched.</param>
    /// <param name="measure">Measures; what it returns or throws is passed on.</param>
    /// <param name="cancellationToken">Gives the trial up.</param>
    public async Task<T> Around<T>(
        TrialKey key, string mountPoint, TimeSpan expected, Func<Task<T>> measure, CancellationToken cancellationToken)
    {
        // Repetitions have a key in common here.
        key = key with { Block = 0 };
        if (!_seen.Add(key))
        {
            return await measure().ConfigureAwait(false);
        }

        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task watching = Watch(key, mountPoint, expected, ended.Token);
        try
        {
            return await measure().ConfigureAwait(false);
        }
        finally
        {
            await ended.CancelAsync().ConfigureAwait(false);
            await watching.ConfigureAwait(false);
        }
    }

    /// <summary>Writes the tables and the picture in the plans' order, and says where they are.</summary>
    public void Report(IEnumerable<ExperimentPlan> plans)
    {
        TrialExplanation[] trials =
        [
            .. from plan in plans
               from workload in plan.Experiment.Workloads
               from configuration in plan.Configurations
               let explanation = _explanations.GetValueOrDefault(new(plan.Experiment.Name, workload.Name, configuration.Name, 0))
               where explanation is not null
               select new TrialExplanation(plan.Experiment.Name, workload.Name, configuration.Name, explanation),
        ];
        string picture = Path.Combine(runDirectory.Root, "explain.png");
        if (!ExplanationPicture.TryWrite(picture, trials))
        {
            CommandLine.Fail("--explain saw no request: the trials were too short, or their files stayed in the page cache.");
            return;
        }

        var text = new StringBuilder();
        foreach (TrialExplanation trial in trials)
        {
            text.AppendLine($"== {trial.Experiment}: {trial.Workload}, {trial.Configuration}").AppendLine(ExplanationText.Render(trial.Explanation));
        }

        string tables = Path.Combine(runDirectory.Root, "explain.txt");
        WholeFile.Write(tables, text.ToString());
        if (trials.Length <= PrintedMax)
        {
            Console.WriteLine(text);
        }

        Console.WriteLine($"stages: {tables}, {picture}");
    }

    private async Task Watch(TrialKey key, string mountPoint, TimeSpan expected, CancellationToken cancellationToken)
    {
        try
        {
            await Task.Delay(expected / 4, cancellationToken).ConfigureAwait(false);
            using Explainer explainer = await Explainer.Attach(mountPoint, cancellationToken).ConfigureAwait(false);
            TimeSpan half = expected / 2;
            _explanations[key] = await explainer.Watch(half < s_watchMax ? half : s_watchMax, cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // The trial was over before it could be watched; another may be.
            _seen.Remove(key);
        }
        catch (Exception exception) when (exception is FuseTransportException or BadArgumentsException)
        {
            CommandLine.Fail($"{key.Workload} on {key.Configuration} could not be explained: {exception.Message}");
        }
    }
}
