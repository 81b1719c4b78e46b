using System.Globalization;
using Harness.Experiments.Calibration;
using Harness.Experiments.Running;
using Harness.Results;
using Harness.Simulation.MachineFiles;
using Harness.Simulation.Machines;

namespace Harness.Experiments.Commands;

/// <summary>The calibrations of a prediction's run, one before each block.</summary>
/// <param name="directory">Where each is kept, so that a run that goes on has them.</param>
internal sealed class MachineRounds(RunDirectory directory)
{
    private const string All = "machine.yaml";

    private readonly List<MachineDescription> _rounds = [];

    /// <summary>Calibrates once more, or reads what an earlier run has calibrated at this place.</summary>
    /// <exception cref="OperationCanceledException">It was interrupted.</exception>
    public async Task Add(CancellationToken cancellationToken)
    {
        string path = Path.Combine(directory.Root, string.Create(CultureInfo.InvariantCulture, $"machine-{_rounds.Count + 1}.yaml"));
        if (!File.Exists(path))
        {
            WholeFile.Write(path, MachineFileWriter.Write(await CalibrateCommand.Measure(quick: true, cancellationToken).ConfigureAwait(false)));
        }

        _rounds.Add(PredictCommand.Load(path));
    }

    /// <summary>What the rounds say together; also written to the run's directory.</summary>
    public MachineDescription Machine()
    {
        MachineDescription machine = CalibrationRounds.Together(_rounds);
        WholeFile.Write(Path.Combine(directory.Root, All), MachineFileWriter.Write(machine));
        return machine;
    }
}
