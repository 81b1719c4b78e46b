using System.Globalization;
using System.Text;
using Harness.FuseProtocol.Tracing;

namespace Harness.Experiments.Observing;

/// <summary>An explanation as tables for people.</summary>
internal static class ExplanationText
{
    private const double NanosPerMicro = 1e3;
    private const int BarWidth = 30;

    // Opcodes that took less than this share of all the time are named, not laid out: files are opened and closed beside every load.
    private const double ShareMin = 0.002;

    private static readonly string[] s_meanings =
    [
        "entry of the system call → request queued",
        "→ the daemon's thread is free",
        "→ it runs: it slept, or another had its CPU",
        "→ the message is in its buffer",
        "→ checked and handed to the dispatcher",
        "→ the answer is complete",
        "→ the kernel has taken and copied it",
        "→ the caller runs, if it slept",
        "→ the system call returns",
    ];

    /// <summary>The tables, the opcode that took the most time in all first.</summary>
    public static string Render(Explanation explanation)
    {
        var text = new StringBuilder();
        text.AppendLine(explanation.Mount);
        text.AppendLine(CultureInfo.InvariantCulture, $"watched for {explanation.Watched.TotalSeconds:0.0} s; {explanation.Recorded:N0} requests looked at");
        if (explanation.KernelProblem is string problem)
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"only the daemon's own stages follow: {problem}");
        }

        double all = explanation.Opcodes.Sum(each => each.TotalNanos * each.Requests);
        foreach (OpcodeExplanation each in explanation.Opcodes.Where(each => each.TotalNanos * each.Requests >= ShareMin * all))
        {
            Append(text, each);
        }

        string[] rest =
        [
            .. explanation.Opcodes.Where(each => each.TotalNanos * each.Requests < ShareMin * all)
                .Select(each => string.Create(CultureInfo.InvariantCulture, $"{KernelNames.Of(each.Opcode)} ({each.Requests:N0})")),
        ];
        if (rest.Length > 0)
        {
            text.AppendLine().AppendLine(CultureInfo.InvariantCulture, $"less than {ShareMin:0.0 %} of the time: {string.Join(", ", rest)}");
        }

        return text.ToString();
    }

    private static void Append(StringBuilder text, OpcodeExplanation each)
    {
        text.AppendLine();
        text.AppendLine(CultureInfo.InvariantCulture, $"{KernelNames.Of(each.Opcode)}: {each.TotalNanos / NanosPerMicro:N2} µs, {each.Requests:N0} requests");
        text.AppendLine(CultureInfo.InvariantCulture, $"  {"stage",-17} {"mean µs",9} {"p50 µs",9} {"p99 µs",9} {"share",7}");
        foreach (StageFigures figures in each.Stages)
        {
            string bar = new('█', (int)Math.Round(figures.Share * BarWidth));
            text.AppendLine(CultureInfo.InvariantCulture, $"  {Stages.Name(figures.Stage),-17} {figures.Nanos.MeanNanos / NanosPerMicro,9:N2} " +
                $"{figures.Nanos.PercentileNanos(50) / NanosPerMicro,9:N2} {figures.Nanos.PercentileNanos(99) / NanosPerMicro,9:N2} " +
                $"{figures.Share * 100,5:N1} %  {bar,-BarWidth} {s_meanings[(int)figures.Stage]}");
        }
    }
}
