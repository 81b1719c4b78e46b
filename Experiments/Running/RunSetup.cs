using System.Text.Json;
using Harness.Experiments.Commands;
using Harness.Experiments.Machine;
using Harness.Experiments.Plan;
using Harness.Experiments.Plan.Reading;
using Harness.Results;
using Harness.Results.Analysis;
using Harness.Results.Records;
using Harness.Transport;

namespace Harness.Experiments.Running;

/// <summary>A run from its plan to its last picture: reads, checks the machine, measures, reports.</summary>
internal sealed class RunSetup
{
    private readonly IReadOnlyList<ExperimentPlan> _plans;
    private readonly Func<RunDirectory> _directory;
    private readonly bool _explains;

    private RunSetup(PlanReading reading, bool explains, Func<RunDirectory> directory)
    {
        _explains = explains;
        _plans = [.. reading.Experiments.Select(ExperimentPlan.Of)];
        _directory = directory;
    }

    private long Seed => _plans[0].Experiment.Seed;

    /// <summary>A new run.</summary>
    /// <exception cref="BadArgumentsException">The plan is wrong; the message has every error with its place.</exception>
    public static RunSetup New(string file, string? only, bool quick, bool explains, string output)
    {
        PlanReading whole = PlanFile.Load(file);
        PlanReading reading = Read(whole, file, new RunOptions(only, quick));
        return new RunSetup(reading, explains, () =>
        {
            string name = only ?? Path.GetFileNameWithoutExtension(file);
            RunDirectory directory = RunDirectory.Create(output, quick ? $"{name}-quick" : name, DateTimeOffset.Now);
            WholeFile.Write(directory.PlanYaml, whole.Text);
            WholeFile.Write(directory.OptionsJson, JsonSerializer.Serialize(new RunOptions(only, quick)));
            return directory;
        });
    }

    /// <summary>Goes on with an interrupted run.</summary>
    /// <exception cref="BadArgumentsException">The directory holds no run, or its plan was changed and is wrong.</exception>
    public static RunSetup Resume(string path, bool explains)
    {
        try
        {
            RunDirectory directory = RunDirectory.Open(path);
            RunOptions options = JsonSerializer.Deserialize<RunOptions>(File.ReadAllText(directory.OptionsJson))!;
            return new RunSetup(Read(PlanFile.Load(directory.PlanYaml), directory.PlanYaml, options), explains, () => directory);
        }
        catch (Exception exception) when (exception is IOException or JsonException)
        {
            throw new BadArgumentsException($"--resume: {exception.Message}");
        }
    }

    /// <summary>Measures what has no result yet, and reports.</summary>
    /// <returns>One of <see cref="ExitCode"/>.</returns>
    /// <exception cref="FuseTransportException">This machine cannot.</exception>
    public async Task<int> Run(CancellationToken cancellationToken)
    {
        SystemSettings.RestoreLeftover();
        bool anyReal = _plans.Any(plan => plan.Experiment.World != World.Simulated);
        if (anyReal)
        {
            FuseProbe.Require();
        }

        string fio = anyReal ? FioProgram.Ensure(Console.Error) : "";
        RunDirectory directory = _directory();
        RunEnvironment environment = EnvironmentRecord.Gather(Seed, fio, DateTimeOffset.UtcNow);
        environment.Write(directory.EnvironmentJson);
        using ResultsFile results = OpenResults(directory);
        Console.Error.WriteLine($"run directory: {directory.Root}");
        RunExplanations? explanations = _explains ? new RunExplanations(directory) : null;
        bool interrupted = await Measure(new TrialRunner(directory, explanations), results, cancellationToken).ConfigureAwait(false);
        environment = environment with { FinishedAtUtc = interrupted ? null : DateTimeOffset.UtcNow };
        environment.Write(directory.EnvironmentJson);
        Report(directory, results, environment);
        explanations?.Report(_plans);
        if (interrupted)
        {
            await Console.Error.WriteLineAsync($"harness: interrupted; go on with: ./harness run --resume {directory.Root}").ConfigureAwait(false);
            return ExitCode.Interrupted;
        }

        return AnyMissing(results) ? ExitCode.CheckFailed : ExitCode.Done;
    }

    private static PlanReading Read(PlanReading whole, string file, RunOptions options)
    {
        PlanReading reading = options.Only is string name ? whole.Only(name, file) : whole;
        if (!reading.IsValid)
        {
            throw new BadArgumentsException(string.Join("\nharness: ", reading.Errors));
        }

        reading = reading with { Experiments = [.. reading.Experiments.Select(Settle)] };
        PlanError[] refused =
        [
            .. reading.Experiments.Select(experiment => (experiment, plan: ExperimentPlan.Of(experiment)))
                .Select(each => each.experiment.World == World.Simulated ? each.plan.RefusedInSimulation(file) : each.plan.RefusedInRealWorld(file))
                .OfType<PlanError>(),
        ];
        return refused.Length == 0
            ? options.Quick ? reading.Quick() : reading
            : throw new BadArgumentsException(string.Join("\nharness: ", refused.Select(error => error.ToString())));
    }

    /// <summary>
    /// Decides where an experiment takes place. One in simulation says so in its very name, so that no table, picture or file shows its
    /// numbers without it.
    /// </summary>
    private static Experiment Settle(Experiment experiment)
    {
        if (experiment.World == World.Real || (experiment.World == World.Auto && FuseProbe.Problem() is null))
        {
            return experiment with { World = World.Real };
        }

        if (experiment.World == World.Auto)
        {
            Console.Error.WriteLine($"harness: {experiment.Name} runs in simulation: {FuseProbe.Problem()}");
        }

        return experiment with { World = World.Simulated, Name = $"{experiment.Name}-simulated-{experiment.Machine}" };
    }

    private ResultsFile OpenResults(RunDirectory directory)
    {
        try
        {
            return ResultsFile.Open(directory.ResultsCsv, _plans.SelectMany(plan => FactorColumns.Names(plan.Experiment)).Distinct());
        }
        catch (InvalidDataException exception)
        {
            throw new BadArgumentsException(exception.Message);
        }
    }

    private async Task<bool> Measure(TrialRunner trials, ResultsFile results, CancellationToken cancellationToken)
    {
        var run = new ExperimentRun(_plans, results, trials, Seed);
        try
        {
            await (Console.IsErrorRedirected || Console.IsOutputRedirected
                ? run.Run(new PlainProgress(Console.Error), cancellationToken)
                : LiveProgress.Show(progress => run.Run(progress, cancellationToken))).ConfigureAwait(false);
            return false;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return true;
        }
    }

    private void Report(RunDirectory directory, ResultsFile results, RunEnvironment environment)
    {
        if (results.Trials.Count == 0)
        {
            return;
        }

        ExperimentPlan[] measured = [.. _plans.Where(plan => results.Trials.Any(record => record.Experiment == plan.Experiment.Name))];
        RunReport.PrintTable(ComparisonTable.OfSpeed([.. measured.Select(RunReport.Outline)], results.Trials, Seed));
        Console.WriteLine();
        foreach (string path in RunReport.DrawMaps(directory, measured, results.Trials, Seed, environment))
        {
            Console.WriteLine($"map: {path}");
        }

        Console.WriteLine($"results: {directory.ResultsCsv}");
    }

    private bool AnyMissing(ResultsFile results) =>
        _plans.Any(plan => plan.Trials(_ => false).Any(trial => !results.IsMeasured(
            new(plan.Experiment.Name, trial.Workload.Name, trial.Configuration.Name, trial.Block))));

    /// <summary>What the command line said besides the plan.</summary>
    private sealed record RunOptions(string? Only, bool Quick);
}
