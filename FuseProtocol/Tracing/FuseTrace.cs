using Harness.FuseProtocol.Wire;
using Mono.Unix.Native;

namespace Harness.FuseProtocol.Tracing;

/// <summary>Writes one line for every message: what came (<c>rx</c>), what was answered (<c>tx</c>), what was refused, what failed.</summary>
/// <remarks>Thread-safe; lines are never mixed. A line that cannot be written is dropped and counted, since the file system goes on.</remarks>
/// <param name="writer">Where the lines go; stays the caller's.</param>
public sealed class FuseTrace(TextWriter writer) : IFuseObserver
{
    private readonly Lock _lock = new();
    private readonly TextWriter _writer = writer;

    /// <summary>Lines that could not be written.</summary>
    public long LinesLost { get; private set; }

    /// <inheritdoc/>
    public void Received(FuseRequest request) => Write(MessageDescription.OfRequest(request).ToString());

    /// <inheritdoc/>
    public void Replied(FuseRequest request, Errno error, ReadOnlySpan<byte> payload) =>
        Write(MessageDescription.OfReply(in request.Header, error, payload).ToString());

    /// <inheritdoc/>
    public void Notified(NotifyCode code, Errno error, ReadOnlySpan<byte> body, ReadOnlySpan<byte> data) =>
        Write(MessageDescription.OfNotification(code, error, body, data).ToString());

    /// <inheritdoc/>
    public void Refused(in InHeader header, string reason) => Write(FaultLog.RefusedLine(in header, reason));

    /// <inheritdoc/>
    public void Faulted(in InHeader header, Exception exception) => Write(FaultLog.FaultedLine(in header, exception));

    private void Write(string line)
    {
        lock (_lock)
        {
            try
            {
                _writer.WriteLine(line);
            }
            catch (Exception exception) when (exception is IOException or ObjectDisposedException)
            {
                LinesLost++;
            }
        }
    }
}
