using Harness.Cluster.Wire;

namespace Harness.Cluster.Metadata.Server;

/// <summary>The way from a metadata server to one connected client.</summary>
internal interface IClientLink
{
    /// <summary>Asks the client to give up what it may cache.</summary>
    /// <returns>Its answer; null if none came, and then its session must have ended before anybody else goes on.</returns>
    ValueTask<RecallReply?> Recall(Recall recall);

    /// <summary>The client's session has ended: nobody waits for its answers any longer.</summary>
    void Close();
}
