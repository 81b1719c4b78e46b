using Harness.Experiments.Plan;
using Harness.Experiments.Plan.Reading;

namespace Harness.Tests.Experiments.Plan;

/// <summary>Texts of plans for tests.</summary>
internal static class PlanTexts
{
    /// <summary>A whole plan of one experiment; the given lines become part of it from line 5 on, indented by four.</summary>
    public static string Experiment(string lines) => $"""
        experiments:
          - name: a
            backend: memory
            workloads: [{"{name: w, rw: read, size: 1M}"}]
        {Indent(lines, 4)}
        """;

    /// <summary>A whole plan whose one workload has the given keys from line 7 on, indented by eight.</summary>
    public static string Workload(string lines, string backend = "memory") => $"""
        experiments:
          - name: a
            backend: {backend}
            workloads:
              - name: w
                size: 1M
        {Indent(lines, 8)}
        """;

    public static Experiment Read(string text)
    {
        PlanReading reading = PlanFile.Parse("plan.yaml", text);
        Assert.Equal([], reading.Errors);
        return Assert.Single(reading.Experiments);
    }

    public static string[] Errors(string text) => [.. PlanFile.Parse("plan.yaml", text).Errors.Select(error => error.ToString())];

    /// <summary>The plan that the project ships, found from the test's own folder upwards.</summary>
    public static string Shipped()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            string path = Path.Combine(folder.FullName, "experiments.yaml");
            if (File.Exists(path))
            {
                return path;
            }
        }

        throw new FileNotFoundException("experiments.yaml is in no folder above the tests");
    }

    private static string Indent(string lines, int columns) =>
        string.Join('\n', lines.Split('\n').Select(line => new string(' ', columns) + line));
}
