using System.Text;

namespace Harness.Results;

/// <summary>
/// Writes files whole or not at all: the bytes go to a temporary file beside the target, reach the disk, and only then take the target's
/// name. rename(2) replaces the old file in one step, so a reader sees the old content or the new, and a crash leaves one of the two.
/// </summary>
public static class WholeFile
{
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false);

    /// <summary>Writes text as UTF-8 without a byte order mark.</summary>
    /// <param name="path">The file to create or replace. Its directory must exist.</param>
    /// <param name="text">The whole content.</param>
    /// <exception cref="IOException">The directory is missing or full; the old file, if any, is untouched.</exception>
    public static void Write(string path, string text) => Write(path, Utf8.GetBytes(text));

    /// <summary>Writes bytes.</summary>
    /// <param name="path">The file to create or replace. Its directory must exist.</param>
    /// <param name="bytes">The whole content.</param>
    /// <exception cref="IOException">The directory is missing or full; the old file, if any, is untouched.</exception>
    public static void Write(string path, ReadOnlySpan<byte> bytes)
    {
        string temporary = TemporaryFor(path);
        try
        {
            using (var stream = new FileStream(temporary, FileMode.Create, FileAccess.Write, FileShare.None))
            {
                stream.Write(bytes);
                stream.Flush(flushToDisk: true);
            }
            File.Move(temporary, path, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }

    /// <summary>
    /// The name depends on the target alone, so that what a killed process left behind is overwritten by the next write and never piles up.
    /// It lies in the same directory, because rename(2) does not cross file systems.
    /// </summary>
    internal static string TemporaryFor(string path)
    {
        string whole = Path.GetFullPath(path);
        return Path.Combine(Path.GetDirectoryName(whole)!, $".{Path.GetFileName(whole)}.tmp");
    }
}
