using System.CommandLine;
using Harness.Experiments.Benchmarking;
using Harness.Experiments.Plan.Values;

namespace Harness.Experiments.Commands;

/// <summary><c>./harness bench</c>: measures this program against others.</summary>
internal static class BenchCommand
{
    private const int BlocksMin = 2;
    private const int BlocksMax = 1000;

    private static readonly ValueKind s_runtime =
        ValueKind.Duration(50 * DurationKind.Millisecond, 3600 * DurationKind.Second, DurationKind.Millisecond);

    private static readonly ValueKind s_blocks = ValueKind.Integer(BlocksMin, BlocksMax);

    /// <summary>The command.</summary>
    public static Command Create() => new("bench", "Measures this program against others, and its simulator.")
    {
        Channels(), BenchClusterCommand.Create(), Simulator(),
    };

    private static Command Simulator()
    {
        var command = new Command("simulator", "Says how fast the simulator is on one CPU, beside the bars that it is held to.");
        command.SetAction(_ =>
        {
            bool areMet = true;
            foreach (SimulatorFigure figure in SimulatorBench.Measure())
            {
                Console.WriteLine($"{figure.What,-48} {figure.Figure,24}   {figure.Bar,-16} {(figure.IsMet ? "met" : "MISSED")}");
                areMet &= figure.IsMet;
            }

            return areMet ? ExitCode.Done : ExitCode.CheckFailed;
        });
        return command;
    }

    private static Command Channels()
    {
        string shapes = string.Join(", ", Shape.All);
        var defaults = new ChannelBenchOptions();
        var peer = new Option<string?>("--peer")
        {
            Description = "Measure against this command instead, which mounts a FUSE with files zero.0 to zero.15 at {} and stays in the foreground",
            HelpName = "CMD",
        };
        var shape = new Option<string?>("--shape") { Description = $"With --peer: our side, one of {shapes} (default: each channel)", HelpName = "SHAPE" };
        var only = new Option<string?>("--only") { Description = $"Measure one shape: {shapes}", HelpName = "SHAPE" };
        var blocks = new Option<string>("--blocks")
        {
            Description = "How often each side runs each job",
            HelpName = "N",
            DefaultValueFactory = _ => $"{defaults.Blocks}",
        };
        var runtime = new Option<string>("--runtime")
        {
            Description = "How long each job is measured",
            HelpName = "DURATION",
            DefaultValueFactory = _ => DurationKind.Format(defaults.Runtime),
        };
        var json = new Option<bool>("--json") { Description = "As JSON" };
        var output = new Option<string>("--out")
        {
            Description = "Where the run's directory is made",
            HelpName = "DIR",
            DefaultValueFactory = _ => defaults.Output,
        };
        var command = new Command(
            "channels", "Interleaves our null mount with libfuse's and with bare C; prints ratios with intervals, and their geometric means.")
        {
            peer, shape, only, blocks, runtime, json, output,
        };
        command.SetAction(async (parsed, _) =>
        {
            var options = Check(new ChannelBenchOptions
            {
                Peer = parsed.GetValue(peer),
                Shape = ReadShape(shape.Name, parsed.GetValue(shape)),
                Only = ReadShape(only.Name, parsed.GetValue(only)),
                Blocks = (int)Read(blocks.Name, s_blocks, parsed.GetValue(blocks)!),
                Runtime = TimeSpan.FromTicks(Read(runtime.Name, s_runtime, parsed.GetValue(runtime)!) / TimeSpan.NanosecondsPerTick),
                Json = parsed.GetValue(json),
                Output = parsed.GetValue(output)!,
            });
            using var interruption = new Interruption();
            return await new ChannelBench(options).Run(interruption.Token).ConfigureAwait(false);
        });
        return command;
    }

    /// <summary>The options, if they go together.</summary>
    /// <exception cref="BadArgumentsException">They do not.</exception>
    internal static ChannelBenchOptions Check(ChannelBenchOptions options) => options switch
    {
        { Peer: null, Shape: not null } => throw new BadArgumentsException("--shape says what is put beside --peer; without it, write --only."),
        { Peer: not null, Only: not null } => throw new BadArgumentsException("--peer and --only exclude each other; with --peer, write --shape."),
        { Peer: string peer } when !peer.Contains(CommandContender.MountPointMark, StringComparison.Ordinal) => throw new BadArgumentsException(
            $"--peer: write {CommandContender.MountPointMark} where the mount point goes: --peer 'my_fuse -f {CommandContender.MountPointMark}'."),
        _ => options,
    };

    private static Shape? ReadShape(string option, string? name) => name is null
        ? null
        : Shape.All.FirstOrDefault(shape => shape.Name == name) ?? throw new BadArgumentsException(
            $"{option}: there is no shape {Quoted.Text(name)}{NearestName.Hint(name, Shape.All.Select(shape => shape.Name))}; " +
            $"allowed: {string.Join(", ", Shape.All)}.");

    private static long Read(string option, ValueKind kind, string text) => kind.TryParse(text, out ScalarValue value, out string complaint)
        ? value.Number
        : throw new BadArgumentsException($"{option}: {complaint}; allowed: {kind.Expectation}.");
}
