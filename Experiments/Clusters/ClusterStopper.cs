using Harness.Runtime.Native;
using Harness.Transport;
using Harness.Transport.Mounting;
using Mono.Unix.Native;

namespace Harness.Experiments.Clusters;

/// <summary>Ends a cluster on this host: unmounts, then the metadata server, so that it takes nobody's end for a failure, then chunk servers.</summary>
internal sealed class ClusterStopper(ClusterDirectory directory, ClusterConfig config)
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    /// <summary>Ends everything.</summary>
    /// <param name="force">Whether what still uses the mount gets errors, and what does not end in time is killed.</param>
    /// <returns>How many processes were stopped.</returns>
    /// <exception cref="FuseTransportException">Something uses the mount, or does not end.</exception>
    public async Task<int> Run(bool force)
    {
        int stopped = await Unmount(force).ConfigureAwait(false);
        stopped += await Stop([ClusterDirectory.MetadataName], force).ConfigureAwait(false);
        return stopped + await Stop(Enumerable.Range(1, config.ChunkServers).Select(ClusterDirectory.ChunkServerName), force).ConfigureAwait(false);
    }

    private async Task<int> Unmount(bool force)
    {
        ServerHandle handle = directory.Handle(ClusterDirectory.MountName);
        if (config.MountPoint is not string mountPoint)
        {
            return await Stop([ClusterDirectory.MountName], force).ConfigureAwait(false);
        }

        bool isMounted = MountTable.Find(mountPoint) is { } entry && entry.Source.StartsWith(Plan.Backend.Cluster, StringComparison.Ordinal);
        if (handle.Pid is null)
        {
            if (isMounted)
            {
                // What a killed daemon has left.
                FuseMount.Unmount(mountPoint);
            }

            return 0;
        }

        if (isMounted && Libc.IsRoot && Libc.Umount2(mountPoint, 0) != 0 && Libc.LastErrno == Errno.EBUSY && !force)
        {
            throw new FuseTransportException(
                $"{mountPoint} is in use: fuser -vm {mountPoint} says by whom. Close that, or give --force: what it has not yet written is lost then.");
        }

        return isMounted && Libc.IsRoot && await handle.AwaitEnd(s_patience).ConfigureAwait(false)
            ? 1
            : await Stop([ClusterDirectory.MountName], force).ConfigureAwait(false);
    }

    private async Task<int> Stop(IEnumerable<string> names, bool force)
    {
        ServerHandle[] running = [.. names.Select(directory.Handle).Where(static handle => handle.Pid is not null)];
        bool[] ended = await Task.WhenAll(running.Select(static handle => handle.Stop(s_patience))).ConfigureAwait(false);
        string[] left = [.. running.Where((_, i) => !ended[i]).Select(static handle => handle.Name)];
        if (left.Length > 0 && !force)
        {
            throw new FuseTransportException(
                $"{string.Join(", ", left)} did not end within {s_patience.TotalSeconds} s. " +
                $"See {directory.LogOf(left[0])}, or give --force to kill what is left.");
        }

        await Task.WhenAll(running.Where((_, i) => !ended[i]).Select(static handle => handle.Kill())).ConfigureAwait(false);
        return running.Length;
    }
}
