using System.Text.Json;
using Harness.Runtime.Native;
using Harness.Transport;

namespace Harness.Experiments.Machine;

/// <summary>A setting of the whole machine, changed for as long as this object lives and then restored.</summary>
/// <remarks>
/// One holder at a time on a machine, by a lock file, so that two mounts cannot each remember the other's change as the original. What was
/// there is written to a journal before the change: if the holder dies by SIGKILL, the next one restores it.
/// </remarks>
internal sealed class SystemSetting : IDisposable
{
    private const string StateDirectory = "/run/harness";

    private readonly FileStream _lock;
    private readonly string _path;
    private readonly string _original;

    private SystemSetting(FileStream holder, string path, string original)
    {
        _lock = holder;
        _path = path;
        _original = original;
    }

    /// <summary>Where the original stands while a setting is changed.</summary>
    private static string Journal => Path.Combine(StateDirectory, "settings.json");

    /// <summary>Changes a setting.</summary>
    /// <param name="path">A file under /proc/sys or /sys.</param>
    /// <param name="value">What to write there.</param>
    /// <exception cref="FuseTransportException">This user may not change it, or the kernel refuses the value.</exception>
    public static SystemSetting Hold(string path, string value)
    {
        FileStream holder = TakeLock();
        try
        {
            RestoreLeftover();
            string original = File.ReadAllText(path).Trim();
            File.WriteAllText(Journal, JsonSerializer.Serialize(new[] { path, original }));
            File.WriteAllText(path, value);
            return new SystemSetting(holder, path, original);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            holder.Dispose();
            throw new FuseTransportException($"Setting {path} to {value} failed: {exception.Message} Run as root, or set it beforehand.");
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        File.WriteAllText(_path, _original);
        File.Delete(Journal);
        _lock.Dispose();
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

    private static void RestoreLeftover()
    {
        if (File.Exists(Journal) && JsonSerializer.Deserialize<string[]>(File.ReadAllText(Journal)) is [string path, string original])
        {
            File.WriteAllText(path, original);
            File.Delete(Journal);
        }
    }
}
