using System.Diagnostics;
using Harness.Experiments.Machine;
using Harness.Results;

namespace Harness.Experiments.Running;

/// <summary>Gathers what a run runs on.</summary>
internal static class EnvironmentRecord
{
    private static readonly string[] s_settings =
    [
        "/proc/sys/fs/fuse/max_pages_limit",
        "/proc/sys/fs/fuse/default_request_timeout",
        "/proc/sys/fs/fuse/max_request_timeout",
        "/sys/module/fuse/parameters/enable_uring",
        "/sys/module/fuse/parameters/max_user_bgreq",
        "/proc/sys/vm/dirty_ratio",
        "/proc/sys/vm/dirty_background_ratio",
        "/proc/sys/vm/dirty_expire_centisecs",
        "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor",
        "/sys/kernel/mm/transparent_hugepage/enabled",
    ];

    /// <summary>The environment as it is now.</summary>
    public static RunEnvironment Gather(long seed, string fioVersion, DateTimeOffset startedAt)
    {
        MachineInfo machine = MachineInfo.Read();
        (string? commit, bool dirty) = Commit();
        return new RunEnvironment
        {
            Kernel = $"Linux {machine.KernelRelease}",
            KernelVersion = machine.KernelVersion,
            CpuModel = machine.CpuModel,
            Cpus = machine.Topology.Online.Count,
            NumaNodes = machine.Topology.Nodes.Count,
            MemoryBytes = machine.MemoryBytes,
            Sysctls = s_settings.Where(File.Exists).ToDictionary(path => path, MachineInfo.ReadSetting),
            Versions = new Dictionary<string, string>
            {
                ["dotnet"] = Environment.Version.ToString(),
                ["fio"] = fioVersion,
                ["harness"] = typeof(EnvironmentRecord).Assembly.GetName().Version?.ToString() ?? "unknown",
            },
            Commit = commit,
            Dirty = dirty,
            Seed = seed,
            CommandLine = Environment.GetCommandLineArgs()[1..],
            StartedAtUtc = startedAt,
        };
    }

    private static (string? Commit, bool Dirty) Commit()
    {
        string directory = AppContext.BaseDirectory;
        string? commit = Git(directory, "rev-parse", "HEAD");
        return (commit, commit is not null && Git(directory, "status", "--porcelain", "--untracked-files=no") is { Length: > 0 });
    }

    private static string? Git(string directory, params string[] arguments)
    {
        try
        {
            using Process process = Process.Start(new ProcessStartInfo("git", ["-C", directory, .. arguments])
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            })!;
            string output = process.StandardOutput.ReadToEnd().Trim();
            process.WaitForExit();
            return process.ExitCode == 0 ? output : null;
        }
        catch (global::System.ComponentModel.Win32Exception)
        {
            return null;
        }
    }
}
