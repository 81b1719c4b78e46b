using System.Runtime.InteropServices;
using Harness.FuseProtocol.Wire;

namespace Harness.Experiments.Observing;

/// <summary>What the daemon knows of one request's time, all on CLOCK_MONOTONIC in nanoseconds. Crosses the control socket as it lies here.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct StageRecord
{
    /// <summary>The request's number, by which the kernel's tracepoints name it too; 0 while the record is being written.</summary>
    public ulong Unique;

    /// <summary>The channel had the message.</summary>
    public long Received;

    /// <summary>The file system began; 0 for requests that the session answers by itself.</summary>
    public long Dispatched;

    /// <summary>The answer was complete.</summary>
    public long Answered;

    /// <summary>The channel had taken the answer; 0 where there was none to take.</summary>
    public long Sent;

    /// <summary>What was asked for.</summary>
    public Opcode Opcode;

    /// <summary>0 or an errno, not negated.</summary>
    public int Error;

    /// <summary>The thread that received the message, by its kernel's number.</summary>
    public int ReceivedBy;

    /// <summary>The thread that answered.</summary>
    public int AnsweredBy;

    /// <summary>Length of the message, header included, in bytes.</summary>
    public uint BytesIn;

    /// <summary>Length of the reply, header included, in bytes.</summary>
    public uint BytesOut;
}
