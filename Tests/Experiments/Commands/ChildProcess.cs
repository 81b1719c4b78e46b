namespace Harness.Tests.Experiments.Commands;

/// <summary>Processes that a test did not start itself, found by who did (proc_pid_stat(5)).</summary>
internal static class ChildProcess
{
    /// <summary>The id of a child of a process whose command line has a word in it; 0 if there is none.</summary>
    public static int Find(int parent, string word) => Directory.EnumerateDirectories("/proc")
        .Select(path => int.TryParse(Path.GetFileName(path), out int pid) ? pid : 0)
        .FirstOrDefault(pid => pid > 0 && ParentOf(pid) == parent && CommandOf(pid).Contains(word, StringComparison.Ordinal));

    private static int ParentOf(int pid)
    {
        string stat = ReadProc(pid, "stat");
        return stat.Length > 0 ? int.Parse(stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[1]) : 0;
    }

    private static string CommandOf(int pid) => ReadProc(pid, "cmdline").Replace('\0', ' ');

    private static string ReadProc(int pid, string file)
    {
        try
        {
            return File.ReadAllText($"/proc/{pid}/{file}");
        }
        catch (IOException)
        {
            return string.Empty;
        }
    }
}
