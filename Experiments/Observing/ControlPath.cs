using Harness.Runtime.Native;
using Harness.Transport;
using Mono.Unix.Native;

namespace Harness.Experiments.Observing;

/// <summary>Where the control socket of a mount is: one per connection, in a directory of the daemon's user.</summary>
internal static class ControlPath
{
    private const string RootDirectory = "/run/harness";
    private const FilePermissions OwnerOnly = FilePermissions.S_IRWXU;

    // Root's directory is also where others look, to be told that a mount is not theirs.
    private const FilePermissions OthersMayLook = (FilePermissions)0x1ED;

    /// <summary>The socket of a mount that this user makes.</summary>
    /// <param name="connection">The number of the FUSE connection, which is the mount's device number.</param>
    /// <exception cref="FuseTransportException">The directory cannot be made, or is somebody else's.</exception>
    public static string Prepare(uint connection)
    {
        uint user = Libc.GetEUid();
        string directory = DirectoryOf(user);
        bool isMade = Syscall.mkdir(directory, user == 0 ? OthersMayLook : OwnerOnly) == 0;
        if (!isMade && Stdlib.GetLastError() is var error and not Errno.EEXIST)
        {
            throw new FuseTransportException($"{directory} could not be made: {error}.");
        }

        if (Syscall.lstat(directory, out Stat status) != 0 || status.st_uid != user)
        {
            throw new FuseTransportException($"{directory} belongs to another user.");
        }

        return In(directory, connection);
    }

    /// <summary>Where the socket of any user's mount may be, this user's first.</summary>
    public static IEnumerable<string> Candidates(uint connection)
    {
        IEnumerable<string> directories =
            [DirectoryOf(Libc.GetEUid()), RootDirectory, .. Users("/run/user", "*", "harness"), .. Users("/tmp", "harness-*", string.Empty)];
        return directories.Distinct().Select(directory => In(directory, connection)).Where(File.Exists);
    }

    private static string In(string directory, uint connection) => Path.Combine(directory, $"mount-{connection}.sock");

    private static string DirectoryOf(uint user) => user == 0
        ? RootDirectory
        : Directory.Exists($"/run/user/{user}") ? $"/run/user/{user}/harness" : $"/tmp/harness-{user}";

    private static IEnumerable<string> Users(string parent, string pattern, string below) =>
        Directory.Exists(parent) ? Directory.EnumerateDirectories(parent, pattern).Select(user => Path.Combine(user, below)) : [];
}
