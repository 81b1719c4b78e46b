using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Harness.Results;
using Harness.Runtime.Native;
using Harness.Transport;

namespace Harness.Experiments.Clusters;

/// <summary>The process of one server of a cluster on this host, by a file that says which it is.</summary>
/// <param name="name">The server's name.</param>
/// <param name="path">The file.</param>
/// <param name="log">Where the process writes what it has to say.</param>
/// <remarks>
/// A process id alone would be somebody else's after a while; with the time of the process's start, counted from the boot, and the boot it is
/// the process that was started, or none.
/// </remarks>
internal sealed class ServerHandle(string name, string path, string log)
{
    private const int SigTerm = 15;
    private const int SigKill = 9;

    // Field 22 of /proc/PID/stat, counted from the third, which follows the program's name in parentheses (proc_pid_stat(5)).
    private const int StartTicksField = 19;
    private const int StateField = 0;

    private static readonly TimeSpan s_lookAgain = TimeSpan.FromMilliseconds(10);

    private Process? _child;

    /// <summary>The server's name.</summary>
    public string Name => name;

    /// <summary>Its process, while it runs.</summary>
    public int? Pid => Read() is { } record && IsAlive(record) ? record.Pid : null;

    /// <summary>When it was started, by this host's clock; null if it does not run.</summary>
    public DateTimeOffset? StartedAt => Read() is { } record && IsAlive(record) ? record.StartedAt : null;

    /// <summary>Starts this program with a command of its own, in the background: it outlives this process and the terminal.</summary>
    /// <param name="arguments">The command and its arguments.</param>
    public void Start(IEnumerable<string> arguments)
    {
        DateTimeOffset startedAt = TimeProvider.System.GetUtcNow();
        // The shell opens the log and becomes the server: what the runtime itself has to say about a crash is in the log too.
        string[] command =
        [
            "-c", "exec \"$@\" >>\"$0\" 2>&1 </dev/null", log, Environment.ProcessPath!, typeof(ServerHandle).Assembly.Location, .. arguments,
        ];
        File.AppendAllText(log, string.Create(CultureInfo.InvariantCulture, $"--- {startedAt:O} {string.Join(' ', arguments)}\n"));
        var start = new ProcessStartInfo("/bin/sh", command) { WorkingDirectory = "/" };
        // A server compiles each method once and in full: in tiers its first seconds went to compiling what it runs most three times over.
        start.Environment["DOTNET_TieredCompilation"] = "0";
        _child = Process.Start(start)!;
        long ticks = StartTicks(_child.Id) ?? 0;
        WholeFile.Write(path, JsonSerializer.Serialize(new Record(_child.Id, ticks, Boot(), startedAt)));
    }

    /// <summary>Why the process that was just started has ended; null while it runs.</summary>
    public string? Failure()
    {
        if (_child is not { HasExited: true } || Pid is not null)
        {
            return null;
        }

        string[] lines = [.. File.ReadLines(log).Reverse().TakeWhile(static line => !line.StartsWith("---", StringComparison.Ordinal)).Reverse()];
        string said = string.Join(' ', lines.Where(static line => line.StartsWith("harness: ", StringComparison.Ordinal)).Select(static line => line[9..]));
        return said.Length > 0 ? $"{name}: {said}" : $"{name} ended at once, with code {_child.ExitCode}. See {log}";
    }

    /// <summary>Asks it to end, and waits until it has.</summary>
    /// <returns>Whether it has, within the time.</returns>
    public async Task<bool> Stop(TimeSpan patience)
    {
        Signal(SigTerm);
        return await AwaitEnd(patience).ConfigureAwait(false);
    }

    /// <summary>Ends it as a crash would.</summary>
    /// <returns>Whether it ran.</returns>
    public async Task<bool> Kill()
    {
        bool ran = Signal(SigKill);
        await AwaitEnd(TimeSpan.FromSeconds(10)).ConfigureAwait(false);
        return ran;
    }

    /// <summary>Waits until it has ended.</summary>
    public async Task<bool> AwaitEnd(TimeSpan patience)
    {
        long started = TimeProvider.System.GetTimestamp();
        while (Pid is not null)
        {
            if (TimeProvider.System.GetElapsedTime(started) > patience)
            {
                return false;
            }

            await Task.Delay(s_lookAgain).ConfigureAwait(false);
        }

        return true;
    }

    private static bool IsAlive(Record record) => record.Boot == Boot() && StartTicks(record.Pid) == record.StartTicks;

    /// <summary>When a process was started, in ticks since the boot; null if there is none, or only what is left of one.</summary>
    private static long? StartTicks(int pid)
    {
        try
        {
            string stat = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/stat"));
            string[] fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            return fields[StateField] is "Z" or "X" ? null : long.Parse(fields[StartTicksField], CultureInfo.InvariantCulture);
        }
        catch (IOException)
        {
            return null;
        }
    }

    private static string Boot() => File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim();

    private bool Signal(int signal) => Pid is int pid && Libc.Kill(pid, signal) == 0;

    private Record? Read()
    {
        try
        {
            return File.Exists(path) ? JsonSerializer.Deserialize<Record>(File.ReadAllText(path)) : null;
        }
        catch (JsonException exception)
        {
            throw new FuseTransportException($"{path} is damaged: {exception.Message} Remove it once no process serves the directory.", exception);
        }
    }

    private sealed record Record(int Pid, long StartTicks, string Boot, DateTimeOffset StartedAt);
}
