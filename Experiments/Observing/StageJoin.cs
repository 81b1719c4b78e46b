using Harness.Experiments.Observing.Kernel;

namespace Harness.Experiments.Observing;

/// <summary>Puts together, by <c>unique</c>, what the daemon and the kernel know of each request, and splits its time into stages.</summary>
internal static class StageJoin
{
    /// <summary>The requests of a recording.</summary>
    /// <param name="records">The daemon's.</param>
    /// <param name="trace">The kernel's; null where there is none, so that only the daemon's own stages are known.</param>
    public static IEnumerable<StageTimes> Join(IEnumerable<StageRecord> records, TraceIndex? trace)
    {
        var before = new Dictionary<int, StageRecord>();
        foreach (StageRecord record in records.OrderBy(record => record.Received))
        {
            StageRecord? previous = before.TryGetValue(record.ReceivedBy, out StageRecord found) ? found : null;
            before[record.ReceivedBy] = record;
            StageTimes times = OfDaemon(in record);
            if (trace is null)
            {
                yield return times;
            }
            else if (trace.SendOf(record.Unique) is (long sent, int caller) && trace.EndOf(record.Unique) is long ended && sent <= record.Received)
            {
                AddKernel(ref times, in record, previous, sent, ended, trace);
                AddCaller(ref times, trace, caller, sent, ended);
                yield return times;
            }
        }
    }

    private static StageTimes OfDaemon(in StageRecord record)
    {
        // A request that the session answers by itself never gets to a file system.
        long dispatched = record.Dispatched > 0 ? record.Dispatched : record.Answered;
        return new StageTimes(record.Opcode)
        {
            [Stage.Session] = dispatched - record.Received,
            [Stage.FileSystem] = record.Answered - dispatched,
            [Stage.Reply] = record.Sent > 0 ? record.Sent - record.Answered : null,
        };
    }

    private static void AddKernel(
        ref StageTimes times, in StageRecord record, StageRecord? previous, long sent, long ended, TraceIndex trace)
    {
        ThreadTimeline daemon = trace.Thread(record.ReceivedBy);
        // What the thread is known to have done last before it fetched this message. On the device that is the end of write(2); on a ring, of
        // the system call that commits replies and fetches at once.
        long busy = Math.Max(previous is StageRecord last ? DoneWith(in last) : 0, daemon.Ends.LastBefore(record.Received) ?? 0);
        long free = Math.Clamp(busy, sent, record.Received);
        long runs = Math.Clamp(daemon.SwitchIns.LastUpTo(record.Received) ?? 0, sent, record.Received);
        if (runs > free)
        {
            // It had nothing to do, and slept.
            times[Stage.Queue] = free - sent;
            times[Stage.WakeUp] = runs - free;
        }
        else
        {
            // It had not done with the request before: the caller that it woke took its CPU and sent this one from there.
            times[Stage.WakeUp] = runs - sent;
            times[Stage.Queue] = free - runs;
        }

        times[Stage.Copy] = record.Received - Math.Max(free, runs);
        times[Stage.Reply] = ended - record.Answered;
    }

    /// <summary>When the thread that received a request had no more to do with it.</summary>
    private static long DoneWith(in StageRecord record) =>
        record.AnsweredBy == record.ReceivedBy ? Math.Max(record.Answered, record.Sent) : record.Dispatched;

    /// <summary>
    /// Adds the caller's side where its thread stood in one system call from before the request was sent until after it ended: where it is
    /// asynchronous, by a kernel thread or by io_submit(2), nobody waits for just this request.
    /// </summary>
    private static void AddCaller(ref StageTimes times, TraceIndex trace, int thread, long sent, long ended)
    {
        ThreadTimeline caller = trace.Thread(thread);
        if (caller.Enters.LastUpTo(sent) is not long entered || caller.Exits.FirstFrom(entered) is not long left || left < ended)
        {
            return;
        }

        long began = entered;
        if (caller.Sends.LastBefore(sent) is long earlier && earlier > entered)
        {
            // One of several requests of a call: its share of the call begins when the one before was over, or had been sent.
            began = trace.EndOfSent(thread, earlier) is long over && over < sent
                ? Math.Max(over, caller.SwitchIns.LastUpTo(sent) ?? 0)
                : earlier;
        }

        times[Stage.SystemCall] = sent - began;
        long next = caller.Sends.FirstFrom(sent + 1) is long following && following < left ? following : left;
        if (next < ended)
        {
            // It went on before this request was over.
            return;
        }

        long awake = caller.SwitchIns.FirstFrom(ended) is long switched && switched < next ? switched : ended;
        times[Stage.CallerWakeUp] = awake - ended;
        if (next == left)
        {
            times[Stage.Return] = left - awake;
        }
    }
}
