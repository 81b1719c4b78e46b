using Harness.FuseProtocol.Wire;
using Mono.Unix.Native;

namespace Harness.FuseProtocol.Tracing;

/// <summary>Writes a line for every message that was refused and every failure of the file system, up to a bound.</summary>
/// <remarks>Thread-safe; lines are never mixed. What is not written is still counted.</remarks>
public sealed class FaultLog : IFuseObserver
{
    /// <summary>Lines written within a second; further ones are counted, and their number written with the next line.</summary>
    public const int LinesPerSecondMax = 20;

    /// <summary>Lines written in all; after these only the counts go on.</summary>
    public const int LinesMax = 10_000;

    private readonly Lock _lock = new();
    private readonly TextWriter _writer;
    private readonly TimeProvider _time;
    private long _second;
    private int _linesInSecond;
    private long _lines;
    private long _leftOut;

    /// <summary>A log that has written nothing yet.</summary>
    /// <param name="writer">Where the lines go; stays the caller's.</param>
    /// <param name="time">Tells which second it is.</param>
    public FaultLog(TextWriter writer, TimeProvider time)
    {
        _writer = writer;
        _time = time;
    }

    /// <summary>Messages refused so far.</summary>
    public long Refusals { get; private set; }

    /// <summary>Failures of the file system so far.</summary>
    public long Faults { get; private set; }

    /// <summary>Lines that could not be written.</summary>
    public long LinesLost { get; private set; }

    /// <inheritdoc/>
    public bool SeesMessages => false;

    /// <inheritdoc/>
    public void Received(FuseRequest request)
    {
    }

    /// <inheritdoc/>
    public void Replied(FuseRequest request, Errno error, ReadOnlySpan<byte> payload)
    {
    }

    /// <inheritdoc/>
    public void Refused(in InHeader header, string reason)
    {
        lock (_lock)
        {
            Refusals++;
            Write(RefusedLine(in header, reason));
        }
    }

    /// <inheritdoc/>
    public void Faulted(in InHeader header, Exception exception)
    {
        lock (_lock)
        {
            Faults++;
            Write(FaultedLine(in header, exception));
        }
    }

    internal static string RefusedLine(in InHeader header, string reason) => $"refused {Message(in header)}: {reason}";

    internal static string FaultedLine(in InHeader header, Exception exception) => $"fault {Message(in header)}: {exception}";

    private static string Message(in InHeader header) =>
        $"unique={header.Unique} opcode={KernelNames.Of(header.Opcode)} nodeid={header.NodeId} pid={header.Pid} len={header.Len}";

    private void Write(string line)
    {
        long second = _time.GetTimestamp() / _time.TimestampFrequency;
        if (second != _second)
        {
            _second = second;
            _linesInSecond = 0;
        }

        if (_linesInSecond == LinesPerSecondMax || _lines == LinesMax)
        {
            _leftOut++;
            return;
        }

        _linesInSecond++;
        _lines++;
        try
        {
            if (_leftOut > 0)
            {
                _writer.WriteLine($"({_leftOut} lines left out)");
                _leftOut = 0;
            }

            _writer.WriteLine(_lines == LinesMax ? $"{line}\n(this was line {LinesMax}, the last)" : line);
        }
        catch (Exception exception) when (exception is IOException or ObjectDisposedException)
        {
            LinesLost++;
        }
    }
}
