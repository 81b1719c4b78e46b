using Harness.Cluster.Wire;
using Harness.FuseProtocol;

namespace Harness.Cluster.Client;

/// <content>
/// Files that the kernel has forgotten before they were synced. It forgets inodes that are not open whenever it wants their memory, and an fsync(2) of
/// the file once it is opened again promises all that was written to it before all the same.
/// </content>
internal sealed partial class ClusterClient
{
    /// <summary>Files that are synced at once to have fewer to remember.</summary>
    private const int SettlingMax = 4;

    private readonly SortedDictionary<ulong, ClientNode> _forgotten = [];
    private int _settling;

    /// <summary>Files that are remembered only for what is not synced of them.</summary>
    public int Forgotten => _forgotten.Count;

    /// <summary>An inode that is not known; what was not synced when it was known before is its own again.</summary>
    private ClientNode Add(ulong inode)
    {
        ClientNode node = _forgotten.Remove(inode, out ClientNode? before) ? before : new ClientNode(inode);
        _nodes.Add(inode, node);
        return node;
    }

    /// <summary>Remembers what is not synced of a file that nobody needs any more, unless nobody can open it again.</summary>
    private void Remember(ClientNode node)
    {
        bool isGone = node is { TellWhenForgotten: true, Lease: not LeaseMode.None, Attributes.Nlink: <= 1 };
        if (isGone || !(node.IsUnsynced || node.Error != Errnos.Ok))
        {
            return;
        }

        node.Forget();
        _forgotten[node.Inode] = node;
        SettleSoon();
    }

    private void SettleSoon()
    {
        if (_forgotten.Count > _options.ForgottenMax && _settling < SettlingMax)
        {
            Settle().Watch();
        }
    }

    /// <summary>Syncs files that are remembered for that alone, those with the least numbers first, until there are few enough of them.</summary>
    private async Task Settle()
    {
        _settling++;
        while (_forgotten.Count > _options.ForgottenMax && _forgotten.Values.FirstOrDefault(static node => !node.SyncGate.IsTaken) is { } node)
        {
            if (await Sync(node) == Errnos.Ok)
            {
                Settled(node);
            }
            else
            {
                await Waits.Delay(_loop, _options.BackoffNanoseconds);
            }
        }

        _settling--;
    }

    /// <summary>A file need not be remembered any longer, unless the kernel knows it again.</summary>
    private void Settled(ClientNode node)
    {
        if (_forgotten.GetValueOrDefault(node.Inode) == node)
        {
            _forgotten.Remove(node.Inode);
        }

        WakeWaiting();
    }
}
