using System.Globalization;

namespace Harness.Transport.Mounting;

/// <summary>One line of <c>/proc/self/mountinfo</c> (proc_pid_mountinfo(5)).</summary>
/// <param name="MountPoint">Absolute path.</param>
/// <param name="DeviceMajor">Major number of the file system's device.</param>
/// <param name="DeviceMinor">Minor number; for FUSE also the number of its connection under <c>/sys/fs/fuse/connections</c>.</param>
/// <param name="Type">File-system type, such as <c>fuse.harness</c>.</param>
/// <param name="Source">What was mounted.</param>
public sealed record MountEntry(string MountPoint, uint DeviceMajor, uint DeviceMinor, string Type, string Source);

/// <summary>What is mounted, as this process sees it. Reading it never touches a mounted file system, so it cannot hang on a dead one.</summary>
public static class MountTable
{
    private const string Path = "/proc/self/mountinfo";

    /// <summary>The mount on top at exactly this absolute path, or null.</summary>
    public static MountEntry? Find(string mountPoint) =>
        Parse(File.ReadLines(Path)).LastOrDefault(entry => entry.MountPoint == mountPoint);

    /// <summary>Reads lines of mountinfo; a line it cannot read is left out.</summary>
    public static IEnumerable<MountEntry> Parse(IEnumerable<string> lines)
    {
        foreach (string line in lines)
        {
            string[] fields = line.Split(' ');
            int separator = Array.IndexOf(fields, "-");
            if (separator < 6 || fields.Length < separator + 3)
            {
                continue;
            }

            string[] device = fields[2].Split(':');
            yield return new MountEntry(
                Unescape(fields[4]),
                uint.Parse(device[0], CultureInfo.InvariantCulture),
                uint.Parse(device[1], CultureInfo.InvariantCulture),
                fields[separator + 1],
                Unescape(fields[separator + 2]));
        }
    }

    // Space, tab, newline and backslash are written as three octal digits.
    private static string Unescape(string field)
    {
        if (!field.Contains('\\'))
        {
            return field;
        }

        var text = new System.Text.StringBuilder();
        for (int i = 0; i < field.Length; i++)
        {
            if (field[i] == '\\' && i + 3 < field.Length)
            {
                text.Append((char)Convert.ToInt32(field.Substring(i + 1, 3), 8));
                i += 3;
            }
            else
            {
                text.Append(field[i]);
            }
        }

        return text.ToString();
    }
}
