namespace Harness.FuseProtocol;

/// <summary>What a channel hands its requests to: a session, or something that stands before one.</summary>
public interface IRequestHandler
{
    /// <summary>
    /// Takes a request and sees to it that it is answered, now or later, on this thread or another. Never throws, and never blocks for
    /// long: the caller is the channel's own loop.
    /// </summary>
    void Handle(FuseRequest request);

    /// <summary>
    /// Where answers come from that are not given at once; null if the channel has nothing to look after. Who stands before another passes on what that
    /// one has.
    /// </summary>
    IAnswerSource? Answers { get; }
}
