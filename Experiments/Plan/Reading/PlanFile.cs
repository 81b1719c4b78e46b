using Harness.Experiments.Plan.Yaml;

namespace Harness.Experiments.Plan.Reading;

/// <summary>Reads a plan file, <c>experiments.yaml</c>.</summary>
internal static class PlanFile
{
    /// <summary>The most experiments of one file.</summary>
    public const int ExperimentsMax = 256;

    private const string RootKey = "experiments";

    /// <summary>Reads the plan in a file. Never throws on account of what the file holds.</summary>
    public static PlanReading Load(string path)
    {
        try
        {
            // Bounded by what is read and not by the file's length, which a pipe or a device does not tell.
            byte[] bytes = new byte[TextLines.BytesMax + 1];
            using FileStream stream = File.OpenRead(path);
            int length = stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            return Parse(path, TextLines.Decode(bytes.AsSpan(0, length)));
        }
        catch (YamlRefusedException refusal)
        {
            return Refused(path, refusal);
        }
        catch (Exception refusal) when (refusal is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            string reason = refusal switch
            {
                FileNotFoundException or DirectoryNotFoundException => "there is no such file",
                UnauthorizedAccessException when Directory.Exists(path) => "this is a directory; name a YAML file",
                UnauthorizedAccessException => "the file may not be read; check its permissions",
                _ => $"the file cannot be read: {refusal.Message}",
            };
            return new PlanReading("", [], [new PlanError(path, 0, 0, reason)]);
        }
    }

    /// <summary>Reads the plan in a text. Never throws on account of what the text holds.</summary>
    /// <param name="file">The file's name for messages.</param>
    /// <param name="text">The file's content.</param>
    public static PlanReading Parse(string file, string text)
    {
        try
        {
            var problems = new Problems(file);
            IReadOnlyList<Experiment> experiments = ReadRoot(YamlTree.Read(TextLines.Check(text)), problems);
            return new PlanReading(text, problems.Any ? [] : experiments, problems.InOrder());
        }
        catch (YamlRefusedException refusal)
        {
            return Refused(file, refusal);
        }
    }

    private static List<Experiment> ReadRoot(YamlNode? root, Problems problems)
    {
        var experiments = new List<Experiment>();
        if (root is null or YamlScalar { IsMissing: true })
        {
            problems.Add(SourceMark.None, $"the file is empty; a plan begins with the key '{RootKey}:'");
            return experiments;
        }

        var map = new MapReader(root, "a plan", problems);
        YamlEntry? entry = map.Need(RootKey);
        map.Finish();
        if (entry is null)
        {
            return experiments;
        }

        if (entry.Value is not YamlList { Items.Count: > 0 and <= ExperimentsMax } list)
        {
            string found = entry.Value is YamlList wrong ? $"a list of {wrong.Items.Count}" : entry.Value.Shape;
            problems.Add(entry.Value.Mark, $"{RootKey} must be a list of 1 to {ExperimentsMax} experiments, not {found}");
            return experiments;
        }

        var reader = new ExperimentReader(problems);
        var names = new UniqueNames("experiment", problems);
        foreach (YamlNode node in list.Items)
        {
            experiments.Add(reader.Read(node));
            names.Add(experiments[^1].Name, node);
        }

        return experiments;
    }

    private static PlanReading Refused(string file, YamlRefusedException refusal) =>
        new("", [], [new PlanError(file, refusal.Mark.Line, refusal.Mark.Column, refusal.Message)]);
}
