using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Harness.Tests.Tidy;

/// <summary>What the compiler and its analysers cannot say about the sources.</summary>
public sealed partial class TidyTests
{
    private const int LinesMax = 400;
    private const int LineLengthMax = 160;

    /// <summary>A pattern, what to do instead, and where it may stand all the same.</summary>
    private static readonly (Regex Pattern, string Instead, string[] Except)[] s_bans =
    [
        (ThreadSleep(), "wait for what is awaited (an event, a task, ILoop.PostAt)", []),
        (EmptyCatch(), "handle the exception, or let it go on", []),
        (Unfinished(), "finish it, or leave it out", []),
        (SkippedTest(), "give the reason at run time (an attribute that looks at the machine)", []),
        (PlainWait(), "await, or wait with a bound", ["Simulation/Scheduling/SimScheduler.Run.cs", "Tests/Experiments/Backends/FileSystemClient.cs"]),
        (CopyingParser(), "read the struct in place with MemoryMarshal.Read or AsRef", []),
        (Region(), "split the file", []),
    ];

    /// <summary>Which project may refer to which; a reference not listed here is a wrong turn in the architecture.</summary>
    private static readonly Dictionary<string, string[]> s_references = new()
    {
        ["FuseProtocol"] = [],
        ["Runtime"] = [],
        ["Results"] = [],
        ["Simulation"] = ["Runtime"],
        ["Transport"] = ["FuseProtocol", "Runtime", "Simulation"],
        ["Cluster"] = ["FuseProtocol", "Runtime", "Simulation"],
        ["Experiments"] = ["FuseProtocol", "Runtime", "Simulation", "Transport", "Cluster", "Results"],
        ["Tests"] = ["FuseProtocol", "Runtime", "Simulation", "Transport", "Cluster", "Results", "Experiments", "Benchmarks"],
        ["Benchmarks"] = ["FuseProtocol", "Runtime", "Simulation", "Transport", "Cluster", "Results", "Experiments"],
    };

    [Fact]
    public void NoFileIsTooLongToRead() =>
        AssertNone(from file in SourceTree.Files(".cs")
                   let lines = SourceTree.Lines(file).Length
                   where lines > LinesMax
                   select $"{file} has {lines} lines; split it by facet (at most {LinesMax})");

    [Fact]
    public void NoLineIsTooLongToRead() =>
        AssertNone(from place in AllLines()
                   where place.Text.Length > LineLengthMax && !place.File.StartsWith("Tests/", StringComparison.Ordinal)
                   select $"{place.File}:{place.Line} has {place.Text.Length} characters; wrap it (at most {LineLengthMax})");

    [Fact]
    public void NothingBannedIsUsed() =>
        AssertNone(from place in AllLines()
                   where !place.File.StartsWith("Tests/Tidy/", StringComparison.Ordinal)
                   from ban in s_bans
                   where ban.Pattern.IsMatch(place.Text) && !ban.Except.Contains(place.File)
                   select $"{place.File}:{place.Line}: {place.Text.Trim()} -- {ban.Instead}");

    [Fact]
    public void UnsafeCodeStaysInNativeAndTheChannels() =>
        AssertNone(from place in AllLines()
                   where UnsafeKeyword().IsMatch(place.Text) && !place.Text.TrimStart().StartsWith("//", StringComparison.Ordinal)
                   where !MayBeUnsafe(place.File)
                   select $"{place.File}:{place.Line}: unsafe belongs in Runtime/Native and the channels' buffers");

    [Fact]
    public void ProjectsReferOneWay() =>
        AssertNone(from file in SourceTree.Files(".csproj")
                   let project = Path.GetFileNameWithoutExtension(file)
                   from reference in XDocument.Load(Path.Combine(SourceTree.Root, file)).Descendants("ProjectReference")
                   let target = Path.GetFileNameWithoutExtension(reference.Attribute("Include")!.Value)
                   where !s_references.TryGetValue(project, out string[]? allowed) || !allowed.Contains(target)
                   select $"{project} must not refer to {target}");

    [Fact]
    public void EveryFileOfTheDocumentationThatIsNamedExists() =>
        AssertNone(from file in SourceTree.Files(".md")
                   from line in SourceTree.Lines(file)
                   from Match link in MarkdownLink().Matches(line)
                   let target = link.Groups[1].Value.Split('#')[0]
                   where target.Length > 0 && !target.Contains("://", StringComparison.Ordinal)
                   where !Path.Exists(Path.Combine(SourceTree.Root, Path.GetDirectoryName(file)!, target))
                   select $"{file} points to {target}, which does not exist");

    private static bool MayBeUnsafe(string file) =>
        file.StartsWith("Runtime/", StringComparison.Ordinal) || file.StartsWith("Transport/", StringComparison.Ordinal) ||
        file.StartsWith("Tests/", StringComparison.Ordinal) || file.StartsWith("Benchmarks/", StringComparison.Ordinal);

    private static IEnumerable<(string File, int Line, string Text)> AllLines() =>
        from file in SourceTree.Files(".cs")
        from line in SourceTree.Lines(file).Index()
        select (file, line.Index + 1, line.Item);

    private static void AssertNone(IEnumerable<string> findings)
    {
        string[] all = [.. findings];
        Assert.True(all.Length == 0, string.Join('\n', all));
    }

    [GeneratedRegex(@"\bThread\.Sleep\b")]
    private static partial Regex ThreadSleep();

    [GeneratedRegex(@"catch\s*(\([^)]*\))?\s*\{\s*\}")]
    private static partial Regex EmptyCatch();

    [GeneratedRegex(@"\b(TODO|FIXME|HACK|XXX)\b|NotImplementedException")]
    private static partial Regex Unfinished();

    [GeneratedRegex(@"\bSkip\s*=\s*""")]
    private static partial Regex SkippedTest();

    [GeneratedRegex(@"\.GetAwaiter\(\)\.GetResult\(\)")]
    private static partial Regex PlainWait();

    [GeneratedRegex(@"Marshal\.(PtrToStructure|StructureToPtr)")]
    private static partial Regex CopyingParser();

    [GeneratedRegex(@"^\s*#region")]
    private static partial Regex Region();

    [GeneratedRegex(@"\bunsafe\b")]
    private static partial Regex UnsafeKeyword();

    [GeneratedRegex(@"\]\(([^)\s]+)\)")]
    private static partial Regex MarkdownLink();
}
