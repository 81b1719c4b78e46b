using System.CommandLine;
using System.Text.Json;
using Harness.Experiments.Machine;

namespace Harness.Experiments.Commands;

/// <summary><c>./harness doctor</c>: what this machine offers, and for each thing missing how to get it.</summary>
internal static class DoctorCommand
{
    private static readonly JsonSerializerOptions s_json = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Encoder = global::System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>The command.</summary>
    public static Command Create()
    {
        var json = new Option<bool>("--json") { Description = "As JSON" };
        var command = new Command("doctor", "Says what this machine offers, and how to get what is missing.") { json };
        command.SetAction(parsed =>
        {
            IReadOnlyList<Finding> findings = Checkup.Run();
            if (parsed.GetValue(json))
            {
                Console.WriteLine(JsonSerializer.Serialize(findings, s_json));
            }
            else
            {
                Print(findings);
            }

            return findings.Any(finding => finding.IsNeeded && !finding.IsThere) ? ExitCode.MachineCannot : ExitCode.Done;
        });
        return command;
    }

    private static void Print(IReadOnlyList<Finding> findings)
    {
        int width = findings.Max(finding => finding.Name.Length);
        foreach (Finding finding in findings)
        {
            Console.WriteLine($"{(finding.IsThere ? "ok     " : finding.IsNeeded ? "MISSING" : "limited")}  {finding.Name.PadRight(width)}  {finding.Detail}");
            if (finding.Remedy is not null)
            {
                Console.WriteLine($"{new string(' ', width + 11)}→ {finding.Remedy}");
            }
        }
    }
}
