using System.CommandLine;
using System.Runtime.InteropServices;
using System.Text.Json;
using Harness.Experiments.Calibration;
using Harness.Results;
using Harness.Simulation.MachineFiles;
using Harness.Simulation.Machines;
using Harness.Transport;

namespace Harness.Experiments.Commands;

/// <summary><c>./harness calibrate</c>: measures this machine for the simulator.</summary>
internal static class CalibrateCommand
{
    private const int Batches = 15;
    private const int QuickBatches = Sampler.BatchesMin;

    private static readonly JsonSerializerOptions s_json = new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    /// <summary>The command.</summary>
    public static Command Create()
    {
        var output = new Option<string>("--out")
        {
            Description = "The machine file that is written",
            HelpName = "FILE",
            DefaultValueFactory = _ => Path.Combine("machines", "this.yaml"),
        };
        var quick = new Option<bool>("--quick") { Description = "Fewer repetitions, wider intervals" };
        var json = new Option<bool>("--json") { Description = "Also prints the figures as JSON" };
        var command = new Command("calibrate", "Measures this machine by microbenchmarks and writes a machine file for the simulator.") { output, quick, json };
        command.SetAction(async (parsed, _) =>
        {
            string path = parsed.GetValue(output)!;
            if (!path.EndsWith(".yaml", StringComparison.Ordinal))
            {
                throw new BadArgumentsException($"--out: a machine file's name ends in .yaml, and '{path}' does not.");
            }

            using var interruption = new Interruption();
            try
            {
                MachineDescription machine = await Measure(parsed.GetValue(quick), interruption.Token).ConfigureAwait(false);
                WholeFile.Write(path, MachineFileWriter.Write(machine));
                Print(machine, path, parsed.GetValue(json));
                return ExitCode.Done;
            }
            catch (OperationCanceledException)
            {
                CommandLine.Fail("interrupted; nothing was written.");
                return ExitCode.Interrupted;
            }
        });
        return command;
    }

    /// <summary>Measures, and says on standard error what is being measured.</summary>
    public static Task<MachineDescription> Measure(bool quick, CancellationToken cancellationToken)
    {
        if (RuntimeInformation.ProcessArchitecture != Architecture.X64)
        {
            throw new FuseTransportException("calibrate makes system calls by the numbers of x86-64; run it there, or write a machine file by hand.");
        }

        return new Calibration.Calibration(
            quick ? QuickBatches : Batches, what => Console.Error.WriteLine($"calibrating: {what}"), cancellationToken).Run();
    }

    private static void Print(MachineDescription machine, string path, bool json)
    {
        if (json)
        {
            Console.WriteLine(JsonSerializer.Serialize(new { machine.Costs, machine.Layers, MachineFile = path }, s_json));
            return;
        }

        foreach (System.Reflection.PropertyInfo property in typeof(CostModel).GetProperties())
        {
            if (property.GetValue(machine.Costs) is Cost cost)
            {
                Line(property.Name, cost);
            }
            else if (property.GetValue(machine.Costs) is Rate rate)
            {
                Console.WriteLine($"{property.Name,-28}{rate.BytesPerSecond / 1e9,10:0.0} GB/s");
            }
        }

        foreach (LayerCosts layer in machine.Layers.Values)
        {
            foreach ((string name, Cost cost) in layer.Times)
            {
                Line($"{layer.Layer}.{name}", cost);
            }
        }

        Console.WriteLine($"written: {path}");
    }

    private static void Line(string name, Cost cost) => Console.WriteLine(
        $"{name,-28}{cost.Nanoseconds,10} ns{(cost.LowNanoseconds is null ? string.Empty : $"   [{cost.LowNanoseconds}, {cost.HighNanoseconds}]")}");
}
