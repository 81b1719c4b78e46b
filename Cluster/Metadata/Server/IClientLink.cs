using Harness.Cluster.Wire;

namespace Harness.Cluster.Metadata.Server;

/// <summary>The way from a metadata server to one connected client.</summary>
internal interface IClientLink
{
    /// <summary>Asks the client to give up what it may cache.</summary>
    /// <returns>Its answer; null if none came, and then its session must have ended before anybody else goes on.</returns>
    ValueTask<RecallReply?> Recall(Recall recall);

    /// <summary>Nobody waits for its answers any longer: the client's session has ended, or goes on by another connection.</summary>
    void Close(string reason);
}
