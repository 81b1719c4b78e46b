using Harness.FuseProtocol;
using Harness.Results;
using Harness.Simulation.Chance;
using Harness.Simulation.Machines;
using Harness.Transport.Simulated;
using Harness.Transport.Simulated.Calls;
using Harness.Transport.Simulated.Files;

namespace Harness.Experiments.Simulated;

/// <summary>One job of a workload on a simulated mount: what fio's job does, in virtual time.</summary>
internal sealed class SimulatedApplication
{
    // What fio 3.33 computes between being let go by its main process and its first request, from a trace of it. By then its CPU owes others time.
    private const long StartNanoseconds = 400_000;

    private readonly SimulatedJob _job;
    private readonly SystemCalls _calls;
    private readonly SimRandom _random;
    private readonly Window _window;
    private readonly long _operationNanos;
    private long _position;
    private long _writes;
    private long _nextStart;

    /// <summary>A job that has not begun.</summary>
    /// <param name="job">What it does.</param>
    /// <param name="calls">The kernel.</param>
    /// <param name="random">Where it draws places from.</param>
    /// <param name="window">When it is measured.</param>
    /// <param name="costs">What its own code takes.</param>
    public SimulatedApplication(SimulatedJob job, SystemCalls calls, SimRandom random, Window window, ApplicationCosts costs)
    {
        (_job, _calls, _random, _window) = (job, calls, random, window);
        _operationNanos = job.IsAsync ? costs.Asynchronous : costs.Synchronous;
    }

    /// <summary>Latencies of the operations that ended while it was measured.</summary>
    public LatencyHistogram Latency { get; } = new();

    /// <summary>Bytes read while it was measured.</summary>
    public long ReadBytes { get; private set; }

    /// <summary>Bytes written while it was measured.</summary>
    public long WriteBytes { get; private set; }

    /// <summary>Whether it has ended.</summary>
    public bool IsDone { get; private set; }

    /// <summary>Runs the job on a file until the window's end.</summary>
    /// <param name="task">The job's thread.</param>
    /// <param name="path">Its file.</param>
    /// <param name="makesFile">Whether the file is to be made, at its full size.</param>
    public async ValueTask Run(KernelTask task, string path, bool makesFile)
    {
        const uint mode = 0b110_100_100;
        OpenFileFlags flags = OpenFileFlags.ReadWrite | (_job.IsDirect ? OpenFileFlags.Direct : 0) | (makesFile ? OpenFileFlags.Create : 0);
        int file = (int)Demand(await _calls.Open(task, path, flags, mode));
        if (makesFile)
        {
            Demand(await _calls.Ftruncate(task, file, _job.FileBytes));
        }

        await task.Thread.Compute(StartNanoseconds);
        await (_job.IsAsync ? RunAsync(task, file) : RunSync(task, file));
        if (_job.SyncsAtEnd)
        {
            Demand(await _calls.Fsync(task, file, dataOnly: false));
        }

        IsDone = true;
    }

    private static long Demand(Result<long> result) =>
        result.IsOk ? result.Value : throw new InvalidDataException($"the simulated application got {result.Error}");

    private async ValueTask RunSync(KernelTask task, int file)
    {
        byte[] buffer = new byte[_job.BlockBytes];
        while (Now(task) < _window.End)
        {
            await Pace(task);
            await task.Thread.Compute(_operationNanos);
            bool isWrite = DrawWrite();
            long offset = NextOffset();
            long start = Now(task);
            long moved = Demand(isWrite
                ? await _calls.Write(task, file, buffer, offset)
                : await _calls.Read(task, file, buffer, offset));
            Count(task, start, moved, isWrite);
            await AfterOne(task, file, isWrite);
        }
    }

    private async ValueTask RunAsync(KernelTask task, int file)
    {
        var context = new AioContext();
        var free = new Stack<Operation>(Enumerable.Range(0, _job.Depth).Select(_ => new Operation(_job.BlockBytes)));
        while (Now(task) < _window.End || context.Pending > 0)
        {
            while (Now(task) < _window.End && free.TryPop(out Operation? next))
            {
                await Pace(task);
                await task.Thread.Compute(_operationNanos);
                next.IsWrite = DrawWrite();
                next.Start = Now(task);
                _calls.EnterSubmit(task);
                Demand(await _calls.Submit(task, context, file, next.Buffer, NextOffset(), next.IsWrite, next));
            }

            if (context.Pending == 0)
            {
                continue;
            }

            AioCompletion ended = await _calls.GetEvent(task, context);
            var operation = (Operation)ended.Data!;
            long moved = ended.Result.IsOk ? ended.Result.Value : throw new InvalidDataException($"asynchronous I/O got {ended.Result.Error}");
            Count(task, operation.Start, moved, operation.IsWrite);
            free.Push(operation);
            await AfterOne(task, file, operation.IsWrite);
        }
    }

    private static long Now(KernelTask task) => task.Thread.Machine.Scheduler.NowNanoseconds;

    private async ValueTask Pace(KernelTask task)
    {
        if (_job.PaceNanos == 0)
        {
            return;
        }

        long now = Now(task);
        if (now < _nextStart)
        {
            SimThread thread = task.Thread;
            await thread.Sleep(_nextStart - now);
        }

        _nextStart = Math.Max(now, _nextStart) + _job.PaceNanos;
    }

    private async ValueTask AfterOne(KernelTask task, int file, bool isWrite)
    {
        if (isWrite && _job.SyncEvery > 0 && ++_writes % _job.SyncEvery == 0)
        {
            Demand(await _calls.Fsync(task, file, _job.SyncsDataOnly));
        }

        if (_job.ThinkNanos > 0)
        {
            SimThread thread = task.Thread;
            await thread.Sleep(_job.ThinkNanos);
        }
    }

    private bool DrawWrite() => _job.ReadPercent switch
    {
        100 => false,
        0 => true,
        int share => _random.Next(100) >= share,
    };

    private long NextOffset()
    {
        long blocks = Math.Max(1, _job.FileBytes / _job.BlockBytes);
        long block = _job.IsRandom ? _random.NextInt64(blocks) : _position++ % blocks;
        return block * _job.BlockBytes;
    }

    private void Count(KernelTask task, long start, long moved, bool isWrite)
    {
        long now = Now(task);
        if (now < _window.Start || now > _window.End)
        {
            return;
        }

        Latency.Record(now - start);
        ReadBytes += isWrite ? 0 : moved;
        WriteBytes += isWrite ? moved : 0;
    }

    /// <summary>When a job is measured, in virtual nanoseconds.</summary>
    internal readonly record struct Window(long Start, long End);

    /// <summary>One of the operations that an asynchronous job keeps in flight.</summary>
    private sealed class Operation(int bytes)
    {
        public byte[] Buffer { get; } = new byte[bytes];

        public bool IsWrite { get; set; }

        public long Start { get; set; }
    }
}
