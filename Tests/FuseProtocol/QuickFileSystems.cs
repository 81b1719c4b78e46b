using System.Threading.Tasks.Sources;
using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;
using Mono.Unix.Native;

namespace Harness.Tests.FuseProtocol;

/// <summary>Answers at once and allocates nothing.</summary>
internal sealed class InstantFileSystem : IFileSystem
{
    /// <summary>Calls whose memory was not as it should be.</summary>
    public int Unexpected { get; private set; }

    public ValueTask<Result<EntryOut>> Lookup(RequestContext context, NodeId parent, ReadOnlyMemory<byte> name)
    {
        Unexpected += name.Length == 3 ? 0 : 1;
        return new(new EntryOut { Nodeid = 17 });
    }

    public ValueTask<Result<AttrOut>> Getattr(RequestContext context, NodeId node, GetattrIn arg) => new(new AttrOut { AttrValid = 1 });

    public ValueTask<Result<int>> Read(RequestContext context, NodeId node, ReadIn arg, Memory<byte> buffer)
    {
        buffer.Span.Clear();
        return new(buffer.Length);
    }

    public ValueTask<Result<int>> Write(RequestContext context, NodeId node, WriteIn arg, ReadOnlyMemory<byte> data)
    {
        Unexpected += data.Length == 5 ? 0 : 1;
        return new(data.Length);
    }
}

/// <summary>Waits for <see cref="Finish"/> through a source that is used again, as a file system on a loop does.</summary>
internal sealed class WaitingFileSystem : IFileSystem, IValueTaskSource<Result<int>>, IValueTaskSource<Errno>
{
    private ManualResetValueTaskSourceCore<Result<int>> _source;

    public ValueTask<Result<int>> Read(RequestContext context, NodeId node, ReadIn arg, Memory<byte> buffer)
    {
        _source.Reset();
        return new ValueTask<Result<int>>(this, _source.Version);
    }

    public ValueTask<Errno> Fsync(RequestContext context, NodeId node, FsyncIn arg)
    {
        _source.Reset();
        return new ValueTask<Errno>(this, _source.Version);
    }

    public void Finish() => _source.SetResult(0);

    public ValueTaskSourceStatus GetStatus(short token) => _source.GetStatus(token);

    public void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _source.OnCompleted(continuation, state, token, ValueTaskSourceOnCompletedFlags.None);

    Result<int> IValueTaskSource<Result<int>>.GetResult(short token) => _source.GetResult(token);

    Errno IValueTaskSource<Errno>.GetResult(short token) => _source.GetResult(token).Error;
}
