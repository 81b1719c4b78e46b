using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Harness.FuseProtocol;
using Mono.Unix.Native;

namespace Harness.Cluster.Disk;

/// <summary>
/// A directory that belongs to one server of one cluster, as a file in it says, and to one process at a time, which keeps another one locked.
/// </summary>
internal sealed class OwnedDirectory : IDisposable
{
    /// <summary>The file.</summary>
    public const string FileName = "server";

    /// <summary>The file that is locked: apart, since who only wants to know whose the directory is must not be kept out.</summary>
    private const string LockName = "server.lock";

    private readonly FileStream _lock;

    private OwnedDirectory(FileStream @lock, Owner owner) => (_lock, Life, Identity) = (@lock, owner.Life, owner.Identity);

    /// <summary>Greater with each claim of the directory, also where the clock, by which it goes otherwise, was set back.</summary>
    public ulong Life { get; }

    /// <summary>Drawn when the directory was claimed for the first time: two that are given one number are told from each other by it.</summary>
    public ulong Identity { get; }

    /// <summary>Makes the directory if need be, and makes sure that it is this server's. A cluster that was not known until now is noted.</summary>
    /// <param name="directory">The directory.</param>
    /// <param name="serverId">The server.</param>
    /// <param name="cluster">Its cluster; 0 and 0, not known yet, fits any.</param>
    /// <returns>
    /// The claim, to be kept for as long as the server runs. EUCLEAN if the directory is another's; EBUSY if another process serves it; EACCES,
    /// EROFS, ENOSPC or EIO if it cannot be written.
    /// </returns>
    public static Result<OwnedDirectory> Claim(string directory, ulong serverId, (ulong High, ulong Low) cluster)
    {
        // Told before whether somebody serves it: that it is another's does not change when he stops.
        if (OwnerOf(directory) is { IsOk: true, Value: { } other } && !Fits(other, serverId, cluster))
        {
            return Errno.EUCLEAN;
        }

        FileStream? taken = null;
        try
        {
            Directory.CreateDirectory(directory);
            taken = new FileStream(Path.Combine(directory, LockName), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            using var file = new FileStream(Path.Combine(directory, FileName), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite);
            Owner? owner = Read(file);
            if (owner is { } known && !Fits(known, serverId, cluster))
            {
                taken.Dispose();
                return Errno.EUCLEAN;
            }

            ulong life = Math.Max((owner?.Life ?? 0) + 1, (ulong)TimeProvider.System.GetUtcNow().UtcTicks);
            ulong identity = owner is { Identity: not 0 } same ? same.Identity : BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(sizeof(ulong))) | 1;
            var claimed = new Owner(serverId, owner is { } before && before.Cluster != default ? before.Cluster : cluster, life, identity);
            Write(file, claimed);
            return new OwnedDirectory(taken, claimed);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or FormatException)
        {
            taken?.Dispose();
            return ErrnoOf(exception);
        }
    }

    /// <summary>Whose a directory is; null if it is nobody's yet.</summary>
    /// <returns>EUCLEAN if what it says makes no sense; EACCES or EIO if it cannot be read.</returns>
    public static Result<Owner?> OwnerOf(string directory)
    {
        string path = Path.Combine(directory, FileName);
        try
        {
            if (!File.Exists(path))
            {
                return (Owner?)null;
            }

            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            return Read(file);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or FormatException)
        {
            return ErrnoOf(exception);
        }
    }

    /// <summary>Lets it go, for another process.</summary>
    public void Dispose() => _lock.Dispose();

    private static bool Fits(Owner owner, ulong serverId, (ulong High, ulong Low) cluster) =>
        owner.ServerId == serverId && (owner.Cluster == default || cluster == default || owner.Cluster == cluster);

    private static Owner? Read(FileStream file)
    {
        byte[] bytes = new byte[file.Length];
        file.ReadExactly(bytes);
        string[] words = Encoding.ASCII.GetString(bytes).Trim().Split(' ');
        if (words is [""])
        {
            // A power cut came between the name and what was to stand in it.
            return null;
        }

        if (words.Length is < 2 or > 4 || words[1].Length != 2 * 2 * sizeof(ulong))
        {
            throw new FormatException($"{file.Name} does not say whose the directory is");
        }

        return new Owner(
            ulong.Parse(words[0], NumberStyles.None, CultureInfo.InvariantCulture),
            (ulong.Parse(words[1][..16], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture),
                ulong.Parse(words[1][16..], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture)),
            words.Length > 2 ? ulong.Parse(words[2], NumberStyles.None, CultureInfo.InvariantCulture) : 0,
            words.Length > 3 ? ulong.Parse(words[3], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture) : 0);
    }

    private static void Write(FileStream file, Owner owner)
    {
        file.Position = 0;
        file.Write(Encoding.ASCII.GetBytes(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{owner.ServerId} {owner.Cluster.High:x16}{owner.Cluster.Low:x16} {owner.Life} {owner.Identity:x16}\n")));
        file.SetLength(file.Position);
        file.Flush(flushToDisk: true);
    }

    private static Errno ErrnoOf(Exception exception) => exception switch
    {
        UnauthorizedAccessException => Errno.EACCES,
        FormatException => Errno.EUCLEAN,
        // The framework reports flock(2)'s EWOULDBLOCK by this number.
        IOException { HResult: (int)Errno.EAGAIN } => Errno.EBUSY,
        IOException { HResult: (int)Errno.ENOSPC } => Errno.ENOSPC,
        IOException { HResult: (int)Errno.EROFS } => Errno.EROFS,
        IOException { HResult: (int)Errno.ENOTDIR or (int)Errno.EEXIST } => Errno.ENOTDIR,
        _ => Errno.EIO,
    };

    /// <summary>Whose a directory is.</summary>
    /// <param name="ServerId">The server's number; 0 for the metadata server.</param>
    /// <param name="Cluster">Its cluster; 0 and 0 if that is not known yet.</param>
    /// <param name="Life">Of its last claim; 0 if that was not noted.</param>
    /// <param name="Identity">The directory's own; 0 if none was noted.</param>
    internal readonly record struct Owner(ulong ServerId, (ulong High, ulong Low) Cluster, ulong Life = 0, ulong Identity = 0);
}
