using System.Runtime.CompilerServices;

namespace Harness.Tests.Tidy;

/// <summary>The project's own files, for tests that read them.</summary>
internal static class SourceTree
{
    private static readonly string[] s_built = ["bin", "obj", ".git", "runs", "BenchmarkDotNet.Artifacts", "TestResults"];

    /// <summary>The folder that holds Harness.sln.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>Paths below the root, with forward slashes, of files with this ending.</summary>
    public static IEnumerable<string> Files(string ending) => Walk(Root)
        .Where(path => path.EndsWith(ending, StringComparison.Ordinal))
        .Select(path => Path.GetRelativePath(Root, path))
        .Order(StringComparer.Ordinal);

    /// <summary>A file's lines.</summary>
    public static string[] Lines(string file) => File.ReadAllLines(Path.Combine(Root, file));

    private static IEnumerable<string> Walk(string directory) => Directory.EnumerateFiles(directory).Concat(
        Directory.EnumerateDirectories(directory).Where(child => !s_built.Contains(Path.GetFileName(child))).SelectMany(Walk));

    private static string FindRoot([CallerFilePath] string here = "")
    {
        string directory = Path.GetDirectoryName(here)!;
        while (!File.Exists(Path.Combine(directory, "Harness.sln")))
        {
            directory = Path.GetDirectoryName(directory)!;
        }

        return directory;
    }
}
