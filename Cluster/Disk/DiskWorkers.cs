using System.Threading.Tasks.Sources;
using Harness.FuseProtocol;
using Harness.Runtime;
using Mono.Unix.Native;

namespace Harness.Cluster.Disk;

/// <summary>Threads for the system calls that may wait for a disk; each is an <see cref="EventLoop"/> of its own.</summary>
internal sealed class DiskWorkers : IDisposable
{
    private readonly EventLoop[] _threads;
    private int _next;

    /// <summary>Starts the threads.</summary>
    /// <param name="count">How many calls may wait at one time.</param>
    public DiskWorkers(int count) => _threads = [.. Enumerable.Range(0, count).Select(i => new EventLoop($"disk {i}"))];

    /// <summary>Runs <paramref name="job"/>'s work on one of the threads, in turn.</summary>
    public void Run(DiskJob job) => _threads[(uint)Interlocked.Increment(ref _next) % (uint)_threads.Length].Post(DiskJob.WorkCallback, job);

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (EventLoop thread in _threads)
        {
            thread.Dispose();
        }
    }
}

/// <summary>One system call that is made on a worker's thread and ends on the loop that asked. Used again when its result was taken.</summary>
internal sealed class DiskJob(ILoop loop, Stack<DiskJob> pool) : IValueTaskSource<Result<int>>, IValueTaskSource<Errno>
{
    /// <summary>What a worker runs.</summary>
    public static readonly Action<object?> WorkCallback = static state => ((DiskJob)state!).Work();

    private static readonly Action<object?> s_done = static state => ((DiskJob)state!).Done();

    private ManualResetValueTaskSourceCore<Result<int>> _source;
    private Result<int> _result;

    /// <summary>The file.</summary>
    public RealFile? File { get; private set; }

    /// <summary>The call; must not touch the loop's state.</summary>
    public Func<DiskJob, Result<int>>? Call { get; private set; }

    public long Offset { get; private set; }

    public long Length { get; private set; }

    public Memory<byte> Buffer { get; private set; }

    /// <summary>Sets the job up; returns its ticket.</summary>
    public short Begin(RealFile? file, Func<DiskJob, Result<int>> call, long offset, long length, Memory<byte> buffer)
    {
        _source.Reset();
        (File, Call, Offset, Length, Buffer) = (file, call, offset, length, buffer);
        return _source.Version;
    }

    private void Work()
    {
        _result = Call!(this);
        loop.Post(s_done, this);
    }

    private void Done()
    {
        (File, Call, Buffer) = (null, null, default);
        _source.SetResult(_result);
    }

    private Result<int> Take(short token)
    {
        Result<int> result = _source.GetResult(token);
        pool.Push(this);
        return result;
    }

    Result<int> IValueTaskSource<Result<int>>.GetResult(short token) => Take(token);

    Errno IValueTaskSource<Errno>.GetResult(short token) => Take(token).Error;

    ValueTaskSourceStatus IValueTaskSource<Result<int>>.GetStatus(short token) => _source.GetStatus(token);

    ValueTaskSourceStatus IValueTaskSource<Errno>.GetStatus(short token) => _source.GetStatus(token);

    void IValueTaskSource<Result<int>>.OnCompleted(Action<object?> next, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _source.OnCompleted(next, state, token, ValueTaskSourceOnCompletedFlags.None);

    void IValueTaskSource<Errno>.OnCompleted(Action<object?> next, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _source.OnCompleted(next, state, token, ValueTaskSourceOnCompletedFlags.None);
}
