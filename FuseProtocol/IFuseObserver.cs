using Harness.FuseProtocol.Wire;
using Mono.Unix.Native;

namespace Harness.FuseProtocol;

/// <summary>
/// Sees every message of a session. Called on whatever thread handles the message, several at once: must be thread-safe and quick, and must
/// not throw.
/// </summary>
public interface IFuseObserver
{
    /// <summary>
    /// Whether <see cref="Received"/> and <see cref="Replied"/> do anything. Where they do not, requests do not pay for the calls.
    /// </summary>
    bool SeesMessages => true;

    /// <summary>A message has come from the kernel and has been split; nobody has acted on it yet.</summary>
    void Received(FuseRequest request);

    /// <summary>A request is about to be answered. Of the request itself only the header is sure to be intact.</summary>
    void Replied(FuseRequest request, Errno error, ReadOnlySpan<byte> payload);

    /// <summary>A notification was sent, or was not for the reason given.</summary>
    void Notified(NotifyCode code, Errno error, ReadOnlySpan<byte> body, ReadOnlySpan<byte> data)
    {
    }

    /// <summary>A message was refused as malformed: a broken kernel, or a peer that pretends to be one.</summary>
    void Refused(in InHeader header, string reason);

    /// <summary>The file system threw; the request was answered EIO.</summary>
    void Faulted(in InHeader header, Exception exception);
}
