using Harness.FuseProtocol.Wire;
using Mono.Unix.Native;

namespace Harness.FuseProtocol;

/// <summary>Carries notifications to the kernel: what a channel implements for <see cref="FuseNotifier"/>. Thread-safe.</summary>
public interface INotificationSink
{
    /// <summary>
    /// Sends one message: an <see cref="OutHeader"/> with unique 0 and <paramref name="code"/> as its error, then <paramref name="body"/>,
    /// then <paramref name="data"/>, in a single write to the device.
    /// </summary>
    /// <remarks>Blocks while the kernel acts on the message, which for some takes requests that this file system has to serve.</remarks>
    /// <returns>0, or what the kernel answered.</returns>
    Errno Send(NotifyCode code, ReadOnlySpan<byte> body, ReadOnlySpan<byte> data);
}
