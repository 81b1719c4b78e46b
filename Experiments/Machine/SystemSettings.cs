using System.Text.Json;
using Harness.Runtime.Native;
using Harness.Transport;
using Microsoft.Win32.SafeHandles;
using Mono.Unix.Native;

namespace Harness.Experiments.Machine;

/// <summary>A setting of the whole machine.</summary>
/// <param name="Path">A file under /proc/sys or /sys.</param>
/// <param name="Value">What to write there, or what was there.</param>
internal sealed record SystemSetting(string Path, string Value)
{
    /// <summary>Whether a value does as well: the same, or a higher one of a limit. The kernel writes a switch as it likes, Y or 1.</summary>
    public bool IsMetBy(string current) => long.TryParse(Value, out long least) && long.TryParse(current, out long number)
        ? number >= least
        : current == Value || (Value == "Y" && current == "1");
}

/// <summary>Settings of the whole machine, changed for as long as this object lives and then restored.</summary>
/// <remarks>
/// One holder at a time on a machine, by a lock file, so that two mounts cannot each remember the other's change as the original. What was
/// there is written to a journal before the change: if the holder dies by SIGKILL, the next one restores it.
/// </remarks>
internal sealed class SystemSettings : IDisposable
{
    private const string StateDirectory = "/run/harness";

    private readonly SafeFileHandle? _lock;

    private SystemSettings(SafeFileHandle? holder) => _lock = holder;

    /// <summary>Where the originals stand while settings are changed.</summary>
    private static string Journal => Path.Combine(StateDirectory, "settings.json");

    /// <summary>Changes those settings that do not do yet.</summary>
    /// <remarks>Root looks at them under the lock, since what another mount has changed for a moment is about to change back.</remarks>
    /// <exception cref="FuseTransportException">This user may not change one, or the kernel refuses the value.</exception>
    public static SystemSettings Hold(IEnumerable<SystemSetting> wanted)
    {
        SystemSetting[] all = [.. wanted];
        if (!Libc.IsRoot)
        {
            SystemSetting[] unmet = Unmet(all);
            return unmet.Length == 0 ? new SystemSettings(null) : throw new FuseTransportException(
                string.Join(' ', unmet.Select(change => $"{change.Path} must be {change.Value}, which only root can set.")) +
                " Run as root, or set it beforehand.");
        }

        if (all.Length == 0)
        {
            return new SystemSettings(null);
        }

        SafeFileHandle holder = TakeLock();
        try
        {
            Restore();
            SystemSetting[] changes = Unmet(all);
            if (changes.Length == 0)
            {
                holder.Dispose();
                return new SystemSettings(null);
            }

            File.WriteAllText(Journal, JsonSerializer.Serialize(changes.Select(change => change with { Value = File.ReadAllText(change.Path).Trim() })));
            foreach (SystemSetting change in changes)
            {
                File.WriteAllText(change.Path, change.Value);
            }

            return new SystemSettings(holder);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            Restore();
            holder.Dispose();
            throw new FuseTransportException($"A setting could not be changed: {exception.Message}", exception);
        }
    }

    /// <summary>Puts back what a holder that was killed left changed. Does nothing where there is nothing, or no permission.</summary>
    public static void RestoreLeftover()
    {
        if (Libc.IsRoot && File.Exists(Journal))
        {
            using SafeFileHandle holder = TakeLock();
            Restore();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_lock is not null)
        {
            Restore();
            _lock.Dispose();
        }
    }

    private static SystemSetting[] Unmet(IEnumerable<SystemSetting> wanted) =>
        [.. wanted.Where(setting => !setting.IsMetBy(MachineInfo.ReadSetting(setting.Path)))];

    private static SafeFileHandle TakeLock()
    {
        Directory.CreateDirectory(StateDirectory);
        string path = Path.Combine(StateDirectory, "settings.lock");
        // Not by the framework, which takes flock(2)s of its own to keep its sharing modes, and does not wait for them.
        var file = new SafeFileHandle(Libc.Open(path, FileFlags.ReadWrite | FileFlags.Create | FileFlags.CloseOnExec, 0x180), ownsHandle: true);
        // Another mount holds it for the few milliseconds between mount(2) and INIT; flock(2) waits, and forgets holders that died.
        if (!file.IsInvalid && Libc.Flock(file, Libc.LockExclusive) == 0)
        {
            return file;
        }

        Errno error = Libc.LastErrno;
        file.Dispose();
        throw new FuseTransportException($"Locking {path} failed: {error}.");
    }

    private static void Restore()
    {
        if (File.Exists(Journal))
        {
            foreach (SystemSetting original in JsonSerializer.Deserialize<SystemSetting[]>(File.ReadAllText(Journal)) ?? [])
            {
                File.WriteAllText(original.Path, original.Value);
            }

            File.Delete(Journal);
        }
    }
}
