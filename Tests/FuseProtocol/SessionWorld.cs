using Harness.Experiments.Fuzz;
using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;
using Mono.Unix.Native;

namespace Harness.Tests.FuseProtocol;

/// <summary>A session with a recording file system, an observer, and a channel without a kernel.</summary>
internal sealed class SessionWorld : IDisposable
{
    public SessionWorld(
        SessionOptions? options = null,
        bool start = true,
        RequestShape shape = RequestShape.Device,
        InitFlags capabilities = InitFlags.None,
        INotificationSink? notifications = null)
    {
        Files = new RecordingFileSystem { Capabilities = capabilities };
        Session = new FuseSession(Files, options ?? new SessionOptions(), Observer, notifications);
        Channel = new FakeChannel(Session, shape);
        if (start)
        {
            Deliver(GoldenMessages.Init);
            Channel.Agreed = Files.Started!.Flags;
            Observer.Lines.Clear();
        }
    }

    public RecordingFileSystem Files { get; }

    public FuseSession Session { get; }

    public FakeChannel Channel { get; }

    public RecordingObserver Observer { get; } = new();

    public FakeRequest Deliver(GoldenMessage message) => Channel.Deliver(message.Request);

    public void Dispose() => Channel.Dispose();
}

/// <summary>Keeps what it is told.</summary>
internal sealed class RecordingObserver : IFuseObserver
{
    public List<string> Lines { get; } = [];

    public List<string> Refusals { get; } = [];

    public List<string> Faults { get; } = [];

    /// <summary>Runs inside of each call; may throw.</summary>
    public Action<string>? During { get; set; }

    public void Received(FuseRequest request) => Add($"rx {request.Header.Opcode}");

    public void Replied(FuseRequest request, Errno error, ReadOnlySpan<byte> payload) =>
        Add($"tx {request.Header.Opcode} {error} {payload.Length}");

    public void Notified(NotifyCode code, Errno error, ReadOnlySpan<byte> body, ReadOnlySpan<byte> data) =>
        Add($"notify {code} {error} {body.Length} {data.Length}");

    public void Refused(in InHeader header, string reason)
    {
        lock (Lines)
        {
            Refusals.Add(reason);
        }
    }

    public void Faulted(in InHeader header, Exception exception)
    {
        lock (Lines)
        {
            Faults.Add(exception.Message);
        }
    }

    private void Add(string line)
    {
        lock (Lines)
        {
            Lines.Add(line);
        }

        During?.Invoke(line);
    }
}
