namespace Harness.FuseProtocol;

/// <summary>
/// Where a file system's answers come from when they come later: something that one thread at a time looks after. A thread of the channel that
/// has nothing else to do may be that thread for a while, and then sends the answers itself, without being woken for it.
/// </summary>
/// <remarks>Called from the channel's threads.</remarks>
public interface IAnswerSource
{
    /// <summary>Makes the caller the one that looks after it, if an answer is expected soon and nobody else looks.</summary>
    bool TryAttend();

    /// <summary>Looks once, and carries out what has come; requests of the caller's may be answered by that before it returns.</summary>
    /// <returns>False once no answer is expected soon: <see cref="EndAttend"/> then.</returns>
    bool Attend();

    /// <summary>Leaves it to its own thread again.</summary>
    void EndAttend();
}
