using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;
using Harness.Runtime;
using Harness.Runtime.Native;
using Mono.Unix.Native;

namespace Harness.Experiments.Observing;

/// <summary>
/// Counts every request of a slot, times one in <see cref="TimedOneIn"/> of each opcode, and, while somebody records, all of them stage by
/// stage.
/// </summary>
/// <remarks>
/// Reading the clock twice costs 40 to 60 ns, more than all else here; so few requests pay for it, and the share of an opcode that is timed is the
/// same whatever comes between. A prime, so that a program that does something special every 2^n requests is not always, or never, caught.
/// Whoever adds the cells up reads beside the writer: a count may be one request old, none is torn or lost.
/// </remarks>
internal sealed class SlotCounters(RequestMeters meters) : SlotMeter
{
    /// <summary>Of so many requests of an opcode one is timed, beginning with the first.</summary>
    public const int TimedOneIn = 31;

    [ThreadStatic]
    private static int s_threadId;

    private readonly RequestMeters _meters = meters;
    private readonly Cell[] _cells = new Cell[(int)OpcodeTable.Last + 1];
    private long _received;
    private long _dispatched;
    private int _receivedBy;
    private bool _isSampled;

    private static int ThreadId => s_threadId != 0 ? s_threadId : s_threadId = Libc.GetTid();

    /// <inheritdoc/>
    public override void Received(in InHeader header)
    {
        ref Cell cell = ref CellOf(header.Opcode);
        _isSampled = --cell.UntilTimed < 0;
        if (_isSampled)
        {
            cell.UntilTimed = TimedOneIn - 1;
        }

        _received = 0;
        if (_isSampled || _meters.Recording is not null)
        {
            Stamp();
        }
    }

    /// <inheritdoc/>
    public override void Dispatched()
    {
        if (_received != 0 && _dispatched == 0)
        {
            _dispatched = MonotonicClock.NowNanoseconds;
        }
    }

    /// <inheritdoc/>
    public override long Answered(in InHeader header, Errno error, int length)
    {
        ref Cell cell = ref CellOf(header.Opcode);
        cell.Requests++;
        cell.BytesIn += header.Len;
        if (OpcodeTable.TakesReply(header.Opcode))
        {
            cell.BytesOut += OutHeader.Size + length;
        }

        if (error != Errnos.Ok)
        {
            cell.Errors++;
        }

        return _received == 0 ? 0 : Time(ref cell, in header, error, length);
    }

    /// <inheritdoc/>
    public override void Sent(long ticket) => _meters.Recording?.Sent(ticket, MonotonicClock.NowNanoseconds);

    /// <summary>Adds what was counted of one opcode. Called from any thread.</summary>
    public void AddTo(OpcodeCounts counts)
    {
        ref Cell cell = ref _cells[(int)counts.Opcode];
        counts.Requests += cell.Requests;
        counts.Errors += cell.Errors;
        counts.BytesIn += cell.BytesIn;
        counts.BytesOut += cell.BytesOut;
        if (Volatile.Read(ref cell.Latencies) is long[] latencies)
        {
            for (int i = 0; i < latencies.Length; i++)
            {
                counts.Latencies[i] += latencies[i];
            }
        }
    }

    private void Stamp()
    {
        _dispatched = 0;
        _receivedBy = ThreadId;
        _received = MonotonicClock.NowNanoseconds;
    }

    private long Time(ref Cell cell, in InHeader header, Errno error, int length)
    {
        long now = MonotonicClock.NowNanoseconds;
        if (_isSampled)
        {
            cell.Latencies ??= new long[LatencyBuckets.Count];
            cell.Latencies[LatencyBuckets.IndexOf(now - _received)]++;
        }

        return _meters.Recording?.Add(new StageRecord
        {
            Unique = header.Unique,
            Received = _received,
            Dispatched = _dispatched,
            Answered = now,
            Opcode = header.Opcode,
            Error = (int)error,
            ReceivedBy = _receivedBy,
            AnsweredBy = ThreadId,
            BytesIn = header.Len,
            BytesOut = (uint)(OutHeader.Size + length),
        }) ?? 0;
    }

    // What the protocol does not know is counted together, where no opcode is.
    private ref Cell CellOf(Opcode opcode) => ref _cells[opcode <= OpcodeTable.Last ? (int)opcode : 0];

    private struct Cell
    {
        public long Requests;
        public long Errors;
        public long BytesIn;
        public long BytesOut;
        public int UntilTimed;
        public long[]? Latencies;
    }
}
