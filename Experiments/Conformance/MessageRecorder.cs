using Harness.FuseProtocol;
using Harness.FuseProtocol.Tracing;
using Harness.FuseProtocol.Wire;
using Mono.Unix.Native;

namespace Harness.Experiments.Conformance;

/// <summary>A message as both worlds must agree on it: without what names a process or tells the time.</summary>
/// <param name="Kind">The opcode.</param>
/// <param name="NodeId">The node.</param>
/// <param name="Text">Everything else that is compared.</param>
/// <param name="Offset">Where it reads or writes.</param>
/// <param name="Size">How much.</param>
internal sealed record ObservedMessage(string Kind, ulong NodeId, string Text, ulong? Offset, ulong? Size)
{
    /// <summary>Whether it only tells the daemon the times that the kernel's clock has set.</summary>
    public bool IsTimesOnly => Kind == "SETATTR" &&
        (Text.Contains("valid=MTIME|FH|CTIME", StringComparison.Ordinal) || Text.Contains("valid=MTIME|CTIME", StringComparison.Ordinal));

    /// <inheritdoc/>
    public override string ToString() => $"{Kind} node={NodeId} {Text}";
}

/// <summary>Keeps the messages of a session, step by step.</summary>
internal sealed class MessageRecorder : IFuseObserver
{
    // Of the process, of the clock, or counted per connection: the two worlds cannot agree on these.
    private static readonly HashSet<string> s_left = ["unique", "opcode", "nodeid", "pid", "atime", "mtime", "ctime", "lockpid"];

    // Scrambled addresses: that there is one is compared, not which.
    private static readonly HashSet<string> s_scrambled = ["lock_owner", "owner"];

    private readonly Lock _lock = new();
    private List<ObservedMessage> _messages = [];
    private int _inFlight;
    private int _inFlightMax;

    /// <summary>While set, STATFS is not kept: by it a real kernel is asked whether it is done.</summary>
    public bool IgnoresStatfs { get; set; }

    /// <summary>Messages that have come since <see cref="Take"/>.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _messages.Count;
            }
        }
    }

    /// <inheritdoc/>
    public void Received(FuseRequest request)
    {
        if (request.Header.Opcode is Opcode.Init or Opcode.Destroy || (IgnoresStatfs && request.Header.Opcode == Opcode.Statfs))
        {
            return;
        }

        ObservedMessage message = Canonical(MessageDescription.OfRequest(request));
        lock (_lock)
        {
            _messages.Add(message);
        }
    }

    /// <summary>Counts the requests that the daemon holds, from the channel on: a latency may stand before the session.</summary>
    public IRequestHandler CountBefore(IRequestHandler handler) => new Counter(this, handler);

    /// <inheritdoc/>
    public void Replied(FuseRequest request, Errno error, ReadOnlySpan<byte> payload)
    {
        if (!IsLeftOut(request.Header.Opcode))
        {
            lock (_lock)
            {
                _inFlight--;
            }
        }
    }

    /// <inheritdoc/>
    public void Refused(in InHeader header, string reason) => Add("refused", header.NodeId, reason);

    /// <inheritdoc/>
    public void Faulted(in InHeader header, Exception exception) => Add("fault", header.NodeId, exception.Message);

    /// <summary>What has come since it was last asked, and the most that was unanswered at once.</summary>
    public (IReadOnlyList<ObservedMessage> Messages, int InFlightMax) Take()
    {
        lock (_lock)
        {
            (List<ObservedMessage> taken, int inFlight) = (_messages, _inFlightMax);
            _messages = [];
            _inFlightMax = _inFlight;
            return (taken, inFlight);
        }
    }

    private bool IsLeftOut(Opcode opcode) =>
        opcode is Opcode.Init or Opcode.Destroy || (IgnoresStatfs && opcode == Opcode.Statfs) || !OpcodeTable.TakesReply(opcode);

    private static ObservedMessage Canonical(MessageDescription message)
    {
        IEnumerable<string> fields = from field in message.Head.Concat(message.Fields)
                                     where !s_left.Contains(field.Name)
                                     select s_scrambled.Contains(field.Name) ? $"{field.Name}={(field.Value == 0 ? "none" : "some")}" : field.ToString();
        return new ObservedMessage(message.Kind, message.NodeId, string.Join(' ', fields), message.Offset, message.Size);
    }

    private void Add(string kind, ulong node, string text)
    {
        lock (_lock)
        {
            _messages.Add(new ObservedMessage(kind, node, text, null, null));
        }
    }

    private sealed class Counter(MessageRecorder recorder, IRequestHandler inner) : IRequestHandler
    {
        public IAnswerSource? Answers => inner.Answers;

        public void Handle(FuseRequest request)
        {
            if (!recorder.IsLeftOut(request.Header.Opcode))
            {
                lock (recorder._lock)
                {
                    recorder._inFlightMax = Math.Max(recorder._inFlightMax, ++recorder._inFlight);
                }
            }

            inner.Handle(request);
        }
    }
}
