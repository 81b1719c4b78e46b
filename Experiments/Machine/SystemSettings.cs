using System.Text.Json;
using Harness.Runtime.Native;
using Harness.Transport;

namespace Harness.Experiments.Machine;

/// <summary>A setting of the whole machine.</summary>
/// <param name="Path">A file under /proc/sys or /sys.</param>
/// <param name="Value">What to write there, or what was there.</param>
internal sealed record SystemSetting(string Path, string Value);

/// <summary>Settings of the whole machine, changed for as long as this object lives and then restored.</summary>
/// <remarks>
/// One holder at a time on a machine, by a lock file, so that two mounts cannot each remember the other's change as the original. What was
/// there is written to a journal before the change: if the holder dies by SIGKILL, the next one restores it.
/// </remarks>
internal sealed class SystemSettings : IDisposable
{
    private const string StateDirectory = "/run/harness";

    private readonly FileStream? _lock;

    private SystemSettings(FileStream? holder) => _lock = holder;

    /// <summary>Where the originals stand while settings are changed.</summary>
    private static string Journal => Path.Combine(StateDirectory, "settings.json");

    /// <summary>Changes settings; none, where all have their values already.</summary>
    /// <exception cref="FuseTransportException">This user may not change one, or the kernel refuses the value.</exception>
    public static SystemSettings Hold(IEnumerable<SystemSetting> wanted)
    {
        SystemSetting[] changes = [.. wanted];
        if (changes.Length == 0)
        {
            return new SystemSettings(null);
        }

        if (!Libc.IsRoot)
        {
            throw new FuseTransportException(string.Join(' ', changes.Select(change => $"{change.Path} must be {change.Value}, which only root can set.")) +
                " Run as root, or set it beforehand.");
        }

        FileStream holder = TakeLock();
        try
        {
            Restore();
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
            using FileStream holder = TakeLock();
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

    private static FileStream TakeLock()
    {
        Directory.CreateDirectory(StateDirectory);
        // Another mount holds it for the few milliseconds between mount(2) and INIT; flock(2) waits, and forgets holders that died.
        var file = new FileStream(
            Path.Combine(StateDirectory, "settings.lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite);
        if (Libc.Flock(file.SafeFileHandle, Libc.LockExclusive) == 0)
        {
            return file;
        }

        file.Dispose();
        throw new FuseTransportException($"Locking {file.Name} failed: {Libc.LastErrno}.");
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
