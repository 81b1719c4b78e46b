using System.CommandLine;
using Harness.Experiments.Commands;
using Harness.Experiments.Prediction;
using Harness.Simulation.MachineFiles;
using Harness.Simulation.Machines;
using Harness.Tests.Results;

namespace Harness.Tests.Experiments.Prediction;

/// <summary>What calibrate and predict accept.</summary>
public sealed class PredictCommandTests
{
    private static readonly InvocationConfiguration s_throwing = new() { EnableDefaultExceptionHandler = false };

    [Theory]
    [InlineData("--blocks 0", "1 to 1000")]
    [InlineData("--blocks 1001", "1 to 1000")]
    [InlineData("--spin 5", "--spin")]
    [InlineData("--spin soon", "--spin")]
    [InlineData("--resume /nonexistent", "--resume")]
    [InlineData("--measured a.csv", "--machine")]
    [InlineData("--measured a.csv --machine 1x8 --resume b", "exclude")]
    [InlineData("--measured /nonexistent.csv --machine 1x8", "--measured")]
    public async Task WrongArgumentsAreRefusedBeforeAnythingIsMade(string arguments, string hint)
    {
        using var directory = new TemporaryDirectory();
        BadArgumentsException refusal = await Assert.ThrowsAsync<BadArgumentsException>(
            () => PredictCommand.Create().Parse($"{arguments} --out {directory["runs"]}").InvokeAsync(s_throwing));
        Assert.Contains(hint, refusal.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(directory["runs"]));
    }

    [Fact]
    public async Task AResultsFileWithoutACellOfThePlanIsRefused()
    {
        using var directory = new TemporaryDirectory();
        using (Harness.Results.Records.ResultsFile.Open(directory["results.csv"], []))
        {
        }

        BadArgumentsException refusal = await Assert.ThrowsAsync<BadArgumentsException>(() => PredictCommand.Create()
            .Parse($"--measured {directory["results.csv"]} --machine 1x8 --out {directory["runs"]}").InvokeAsync(s_throwing));
        Assert.Contains("results.csv", refusal.Message, StringComparison.Ordinal);
    }

    /// <summary>What a layer costs is read by those who need it, in the midst of the simulation of all cells.</summary>
    [Fact]
    public void ACostThatNoLayerHasIsNamedWithItsPlace()
    {
        using var directory = new TemporaryDirectory();
        string file = directory["machine.yaml"];
        const string Layer = "layers:\n  fuse:\n    requests: {value: 1, unit: ns, source: 'nobody'}\n";
        MachineDescription machine = MachineFile.Load("this-vm") with { Layers = new Dictionary<string, LayerCosts>() };
        File.WriteAllText(file, MachineFileWriter.Write(machine) + Layer);
        IReadOnlyList<PredictionCell> cells = [.. PredictionPlan.Cells(TimeSpan.FromMilliseconds(1), "0us", quick: true).Take(3)];
        MachineFileException refusal = Assert.Throws<MachineFileException>(() => Predictions.Simulate(MachineFile.Load(file), cells, 1));
        Assert.Contains("machine.yaml", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("'requests'", refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("predict --bogus")]
    [InlineData("predict --blocks")]
    [InlineData("predict --blocks many")]
    [InlineData("calibrate --bogus")]
    [InlineData("calibrate --out")]
    public void UnknownOptionsAndMissingValuesAreErrorsOfTheParser(string line)
    {
        Command command = line.StartsWith("predict", StringComparison.Ordinal) ? PredictCommand.Create() : CalibrateCommand.Create();
        Assert.NotEmpty(command.Parse(line[(line.IndexOf(' ', StringComparison.Ordinal) + 1)..]).Errors);
    }

    [Fact]
    public async Task AMachineFileIsWrittenAsYamlOrNotAtAll()
    {
        BadArgumentsException refusal = await Assert.ThrowsAsync<BadArgumentsException>(
            () => CalibrateCommand.Create().Parse("--out machine.txt").InvokeAsync(s_throwing));
        Assert.Contains(".yaml", refusal.Message, StringComparison.Ordinal);
    }
}
