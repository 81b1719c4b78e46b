using Harness.Cluster.Disk;
using Harness.Cluster.Net;
using Harness.FuseProtocol;
using Mono.Unix.Native;

namespace Harness.Experiments.Clusters;

/// <summary>Why a server could not start, for people.</summary>
internal static class ServerErrors
{
    /// <summary>Says what was wrong and what to do.</summary>
    /// <param name="error">What the server said.</param>
    /// <param name="directory">Its directory.</param>
    /// <param name="listen">Where it was to listen, if that was said.</param>
    public static string Describe(Errno error, string directory, NodeAddress? listen) => error switch
    {
        Errno.EADDRINUSE => $"Something listens at {listen} already. If it is this server, it runs; otherwise choose another address by --listen.",
        Errno.EADDRNOTAVAIL => $"{listen} is no address of this host. Choose another one by --listen.",
        Errno.EINVAL => $"{listen} is no address to listen at. Give a number such as 127.0.0.1:7700 by --listen.",
        Errno.EACCES when listen is { Port: > 0 and < 1024 } => $"Only root may listen at {listen}. Choose a port from 1024 on by --listen.",
        Errno.EACCES => $"{directory} cannot be written. Make it writable for this user, or choose another directory by --dir.",
        Errno.EROFS => $"{directory} lies on a file system that is mounted read-only. Choose another directory by --dir.",
        Errno.ENOTDIR => $"{directory} is not a directory. Choose another one by --dir.",
        Errno.ENOSPC => $"The disk of {directory} has no room, or no inodes (df -i). Make some, and start again: what is there is not lost.",
        Errno.EBUSY => $"Another process serves {directory}. Stop it first (./harness cluster down --dir DIR), or choose another directory.",
        Errno.EBADMSG => $"The metadata log in {directory} is damaged before its end, which no crash does. Restore it from a copy; nothing was changed.",
        Errno.EUCLEAN => $"{directory} belongs to {OwnerOf(directory)}. Choose another directory by --dir.",
        _ => $"{directory}: {error}. See dmesg(1) and the file system's state.",
    };

    /// <summary>Says that a chunk server's number is in use.</summary>
    /// <param name="serverId">The number.</param>
    /// <param name="directory">The directory that it was to be used for too.</param>
    public static string DescribeTaken(ulong serverId, string directory) =>
        $"Chunk server {serverId} runs with another directory than {directory}: a number is one directory's. If this one is new, remove it and start without " +
        "--id, so that it gets a number of its own; otherwise stop the other one first (./harness cluster status tells where it is).";

    private static string OwnerOf(string directory)
    {
        Result<OwnedDirectory.Owner?> owner = OwnedDirectory.OwnerOf(directory);
        return owner is { IsOk: true, Value: { } known }
            ? $"{(known.ServerId == 0 ? "a metadata server" : $"chunk server {known.ServerId}")} of cluster {known.Cluster.Low:x16}"
            : $"something else: its file {OwnedDirectory.FileName} does not say to which server";
    }
}
