namespace Harness.Experiments.Machine;

/// <summary>Programs that are installed on this machine.</summary>
internal static class Programs
{
    /// <summary>Whether the search path has a program of this name.</summary>
    public static bool Exist(string name) =>
        (Environment.GetEnvironmentVariable("PATH") ?? string.Empty).Split(':').Any(directory => File.Exists(Path.Combine(directory, name)));
}
