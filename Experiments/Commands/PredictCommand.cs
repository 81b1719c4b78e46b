using System.CommandLine;
using System.Text.Json;
using Harness.Experiments.Machine;
using Harness.Experiments.Plan;
using Harness.Experiments.Prediction;
using Harness.Experiments.Running;
using Harness.Results;
using Harness.Results.Maps;
using Harness.Results.Records;
using Harness.Simulation.MachineFiles;
using Harness.Simulation.Machines;

namespace Harness.Experiments.Commands;

/// <summary><c>./harness predict</c>: the channel experiments on the real kernel and on a model of this machine that never saw them.</summary>
internal static class PredictCommand
{
    private const string Name = "predict";
    private const string Picture = "predict.png";
    private const int Blocks = 5;
    private const int QuickBlocks = 3;
    private const int BlocksMax = 1000;
    private const int Seed = 1;

    private static readonly TimeSpan s_runtime = TimeSpan.FromMilliseconds(200);

    private static readonly JsonSerializerOptions s_json = new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    /// <summary>The command.</summary>
    public static Command Create()
    {
        var quick = new Option<bool>("--quick") { Description = "Half of the cells, fewer repetitions" };
        var spin = new Option<string>("--spin")
        {
            Description = "How long a thread of the daemon asks before it sleeps",
            HelpName = "DURATION",
            DefaultValueFactory = _ => "0us",
        };
        var machine = new Option<string?>("--machine")
        {
            Description = "A machine file of an earlier calibration (default: calibrate before each block)",
            HelpName = "FILE",
        };
        var resume = new Option<string?>("--resume") { Description = "Go on with an earlier run: what it measured is not measured again", HelpName = "DIR" };
        var output = new Option<string>("--out") { Description = "Where the run's directory is made", HelpName = "DIR", DefaultValueFactory = _ => "runs" };
        var measured = new Option<string?>("--measured")
        {
            Description = "The results.csv of an earlier run: compared with, and nothing is measured (needs --machine)",
            HelpName = "FILE",
        };
        var blocks = new Option<int?>("--blocks") { Description = "How often each cell is measured (default 5, with --quick 3)", HelpName = "N" };
        var json = new Option<bool>("--json") { Description = "As JSON" };
        var command = new Command(
            Name, "Measures the channels on real mounts, predicts the same from microbenchmarks alone, and says how far apart they are.")
        {
            quick, spin, machine, blocks, resume, measured, output, json,
        };
        command.SetAction(async (parsed, _) =>
        {
            using var interruption = new Interruption();
            var options = new PredictOptions(parsed.GetValue(quick), Spin(parsed.GetValue(spin)!));
            int repetitions = Repetitions(parsed.GetValue(blocks), options.Quick);
            if (parsed.GetValue(measured) is string earlier)
            {
                return Again(earlier, parsed.GetValue(machine), parsed.GetValue(resume), parsed.GetValue(output)!, options, parsed.GetValue(json));
            }

            try
            {
                RunDirectory directory = Open(parsed.GetValue(resume), parsed.GetValue(output)!, ref options);
                return await Run(
                    directory, options, repetitions, parsed.GetValue(machine), parsed.GetValue(json), interruption.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                CommandLine.Fail("interrupted; what was measured is kept: ./harness predict --resume DIR goes on.");
                return ExitCode.Interrupted;
            }
        });
        return command;
    }

    /// <summary>Predicts anew what an earlier run measured: for work on the model, which has to be judged by the same measurement.</summary>
    private static int Again(string file, string? machine, string? resume, string output, PredictOptions options, bool json)
    {
        if (machine is null || resume is not null)
        {
            throw new BadArgumentsException(machine is null
                ? "--measured: say by --machine FILE which machine file to predict from, since nothing is measured."
                : "--measured and --resume exclude each other: the one measures nothing, the other goes on measuring.");
        }

        IReadOnlyList<TrialRecord> trials;
        try
        {
            trials = ResultsFile.Read(file);
        }
        catch (Exception exception) when (exception is IOException or InvalidDataException)
        {
            throw new BadArgumentsException($"--measured: {exception.Message}");
        }

        IReadOnlyList<PredictionCell> cells = PredictionPlan.Cells(s_runtime, options.Spin, options.Quick);
        cells = [.. cells.Where(cell => trials.Any(trial => trial.Workload == cell.Workload.Name && trial.Configuration == cell.Configuration))];
        if (cells.Count == 0)
        {
            throw new BadArgumentsException($"--measured: {file} has no trial of any of the cells.");
        }

        PredictionScore score = Predictions.Compare(cells, Simulate(Load(machine), cells), trials);
        RunDirectory directory = Open(null, output, ref options);
        RunEnvironment environment = EnvironmentRecord.Gather(Seed, FioProgram.Version() ?? "none", DateTimeOffset.UtcNow);
        environment.Write(directory.EnvironmentJson);
        Report(score, directory, environment, json);
        return ExitCode.Done;
    }

    private static RunDirectory Open(string? resume, string output, ref PredictOptions options)
    {
        if (resume is null)
        {
            var directory = RunDirectory.Create(output, options.Quick ? $"{Name}-quick" : Name, DateTimeOffset.Now);
            WholeFile.Write(directory.PlanYaml, $"# ./harness predict{(options.Quick ? " --quick" : string.Empty)} --spin {options.Spin}\n");
            WholeFile.Write(directory.OptionsJson, JsonSerializer.Serialize(options));
            return directory;
        }

        try
        {
            var directory = RunDirectory.Open(resume);
            options = JsonSerializer.Deserialize<PredictOptions>(File.ReadAllText(directory.OptionsJson))!;
            return directory;
        }
        catch (Exception exception) when (exception is IOException or JsonException)
        {
            throw new BadArgumentsException($"--resume: {exception.Message}");
        }
    }

    private static async Task<int> Run(
        RunDirectory directory, PredictOptions options, int blocks, string? machineFile, bool json, CancellationToken cancellationToken)
    {
        SystemSettings.RestoreLeftover();
        FuseProbe.Require();
        string fio = FioProgram.Ensure(Console.Error);
        await Console.Error.WriteLineAsync($"run directory: {directory.Root}").ConfigureAwait(false);
        RunEnvironment environment = EnvironmentRecord.Gather(Seed, fio, DateTimeOffset.UtcNow);
        environment.Write(directory.EnvironmentJson);
        IReadOnlyList<PredictionCell> cells = PredictionPlan.Cells(s_runtime, options.Spin, options.Quick);
        using var results = ResultsFile.Open(directory.ResultsCsv, []);
        var real = new RealCells(directory, results, Seed);
        var progress = new PlainProgress(Console.Error);
        IReadOnlyList<TrialMeasurement>? predicted = machineFile is null ? null : Simulate(Load(machineFile), cells);
        // A guest's speed changes with what others do on its host, so that it is calibrated as often as it is measured, in turns. Nothing of what is
        // measured gets into the machine: a calibration is told where to write and nothing else.
        var rounds = new MachineRounds(directory);
        for (int block = 0; block < blocks; block++)
        {
            if (predicted is null)
            {
                await rounds.Add(cancellationToken).ConfigureAwait(false);
            }

            await real.Run(cells, block, blocks, progress, cancellationToken).ConfigureAwait(false);
        }

        PredictionScore score = Predictions.Compare(cells, predicted ?? Simulate(rounds.Machine(), cells), results.Trials);
        Report(score, directory, environment, json);
        return results.Trials.Any(trial => trial.Error is not null) ? ExitCode.CheckFailed : ExitCode.Done;
    }

    private static int Repetitions(int? asked, bool quick) => asked switch
    {
        null => quick ? QuickBlocks : Blocks,
        >= 1 and <= BlocksMax => asked.Value,
        _ => throw new BadArgumentsException($"--blocks: {asked} is not allowed; allowed: 1 to {BlocksMax}."),
    };

    private static string Spin(string text) => Knobs.Spin.Kind.TryParse(text, out _, out string complaint)
        ? text
        : throw new BadArgumentsException($"--spin: {complaint}; allowed: {Knobs.Spin.Kind.Expectation}.");

    /// <summary>A machine file that was named on the command line.</summary>
    internal static MachineDescription Load(string file)
    {
        try
        {
            return MachineFile.Load(file);
        }
        catch (MachineFileException exception)
        {
            throw new BadArgumentsException(exception.Message);
        }
    }

    private static IReadOnlyList<TrialMeasurement> Simulate(MachineDescription machine, IReadOnlyList<PredictionCell> cells)
    {
        try
        {
            return Predictions.Simulate(machine, cells, Seed);
        }
        catch (MachineFileException exception)
        {
            throw new BadArgumentsException(exception.Message);
        }
    }

    private static void Report(PredictionScore score, RunDirectory directory, RunEnvironment environment, bool json)
    {
        string picture = Path.Combine(directory.Root, Picture);
        ScatterChart.Write(
            picture,
            score.ClosingLine,
            "measured, operations per second",
            "predicted, operations per second",
            [.. score.Cells.Select(cell => new ScatterPoint(cell.Cell.Workload.Name, cell.MeasuredIops, cell.Predicted.Iops))],
            MapCaption.Of(Path.GetFileName(directory.Root), environment));
        string text = JsonSerializer.Serialize(
            new
            {
                score.ClosingLine,
                score.MedianError,
                score.Tau,
                score.Pairs,
                Cells = score.Cells.Select(cell => new
                {
                    Workload = cell.Cell.Workload.Name,
                    cell.Cell.Configuration,
                    cell.MeasuredIops,
                    PredictedIops = cell.Predicted.Iops,
                    cell.Error,
                    Stages = cell.Stages.Select(stage => new { stage.Stage, MeasuredMicros = stage.Measured, PredictedMicros = stage.Predicted }),
                }),
            },
            s_json);
        WholeFile.Write(Path.Combine(directory.Root, "predict.json"), text + "\n");
        Console.Error.WriteLine($"picture: {picture}");
        if (json)
        {
            Console.WriteLine(text);
        }
        else
        {
            Predictions.Print(score, Console.Out);
        }
    }

    /// <summary>What a resumed run needs to know.</summary>
    private sealed record PredictOptions(bool Quick, string Spin);
}
