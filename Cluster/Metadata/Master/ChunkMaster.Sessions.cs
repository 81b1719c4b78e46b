using Harness.Cluster.Chunks;
using Harness.FuseProtocol;

namespace Harness.Cluster.Metadata.Master;

/// <content>Ends of clients' sessions.</content>
internal sealed partial class ChunkMaster
{
    /// <inheritdoc/>
    public Task EndSession(ulong session)
    {
        uint[] servers = [.. State.Servers.Values.Where(static server => server.State != ServerState.Removed).Select(static server => server.Id)];
        return Task.WhenAll(servers.Select(server => EndSession(server, session)));
    }

    /// <summary>Has a server refuse what a session still sends; one that cannot be told serves nobody once its lease has ended.</summary>
    private async Task EndSession(uint server, ulong session)
    {
        var message = new ChunkRequest { Client = session };
        while (await Ask(server, ChunkKind.EndSession, message, default, _options.CallNanoseconds) != Errnos.Ok && MayListen(server))
        {
            await LoopYield.Delay(_loop, _options.TickNanoseconds);
        }
    }

    private bool MayListen(uint id) => MayServe(id) || (_servers.TryGetValue(id, out ChunkServerState? server) && server.IsThere);
}
