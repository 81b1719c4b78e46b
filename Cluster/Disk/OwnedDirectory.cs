using System.Globalization;
using Harness.FuseProtocol;
using Mono.Unix.Native;

namespace Harness.Cluster.Disk;

/// <summary>A directory that belongs to one server of one cluster, as a file in it says.</summary>
internal static class OwnedDirectory
{
    /// <summary>The file.</summary>
    public const string FileName = "server";

    /// <summary>Makes the directory if need be, and makes sure that it is this server's.</summary>
    /// <param name="directory">The directory.</param>
    /// <param name="serverId">The server.</param>
    /// <param name="cluster">Its cluster; 0 and 0, not known yet, fits any.</param>
    /// <returns>EUCLEAN if it is another's; EACCES, EROFS or EIO if it cannot be written.</returns>
    public static Errno Claim(string directory, ulong serverId, (ulong High, ulong Low) cluster)
    {
        string path = Path.Combine(directory, FileName);
        try
        {
            Directory.CreateDirectory(directory);
            if (!File.Exists(path))
            {
                File.WriteAllText(path, string.Create(CultureInfo.InvariantCulture, $"{serverId} {cluster.High:x16}{cluster.Low:x16}\n"));
                return Errnos.Ok;
            }

            string[] words = File.ReadAllText(path).Trim().Split(' ');
            string ours = $"{cluster.High:x16}{cluster.Low:x16}";
            bool unknown = (cluster.High | cluster.Low) == 0 || (words.Length == 2 && words[1].All(digit => digit == '0'));
            bool fits = words.Length == 2 && words[0] == serverId.ToString(CultureInfo.InvariantCulture) && (unknown || words[1] == ours);
            return fits ? Errnos.Ok : Errno.EUCLEAN;
        }
        catch (UnauthorizedAccessException)
        {
            return Errno.EACCES;
        }
        catch (IOException)
        {
            return Errno.EIO;
        }
    }
}
