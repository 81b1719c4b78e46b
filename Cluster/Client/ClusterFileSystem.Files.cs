using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;
using Mono.Unix.Native;

namespace Harness.Cluster.Client;

/// <content>What is done with open files and directories.</content>
public sealed partial class ClusterFileSystem
{
    /// <inheritdoc/>
    public ValueTask<Result<OpenOut>> Open(RequestContext context, NodeId node, OpenIn arg) =>
        Call((context, node, arg), static (client, all) => client.Open(all.context, all.node, all.arg));

    /// <inheritdoc/>
    public ValueTask<Result<CreateOut>> Create(RequestContext context, NodeId parent, ReadOnlyMemory<byte> name, CreateIn arg) =>
        Call((context, parent, name, arg), static (client, all) => client.Create(all.context, all.parent, all.name, all.arg));

    /// <inheritdoc/>
    public ValueTask<Result<CreateOut>> Tmpfile(RequestContext context, NodeId parent, CreateIn arg) =>
        Call((context, parent, arg), static (client, all) => client.Tmpfile(all.context, all.parent, all.arg));

    /// <inheritdoc/>
    public ValueTask<Result<int>> Read(RequestContext context, NodeId node, ReadIn arg, Memory<byte> buffer) =>
        Call((node, arg, buffer), static (client, all) => client.Read(all.node, all.arg, all.buffer));

    /// <inheritdoc/>
    public ValueTask<Result<int>> Write(RequestContext context, NodeId node, WriteIn arg, ReadOnlyMemory<byte> data) =>
        Call((context, node, arg, data), static (client, all) => client.Write(all.context, all.node, all.arg, all.data));

    /// <inheritdoc/>
    public ValueTask<Errno> Flush(RequestContext context, NodeId node, FlushIn arg) =>
        _client.HearsCloses ? Call((node, arg), static (client, all) => client.Flush(all.node, all.arg)) : new ValueTask<Errno>(Errnos.Ok);

    /// <inheritdoc/>
    /// <remarks>Nobody waits for its answer: without locks, which others may wait for, it is given before the loop has heard of it.</remarks>
    public ValueTask<Errno> Release(RequestContext context, NodeId node, ReleaseIn arg)
    {
        if (_client.HearsCloses)
        {
            return Call((node, arg), static (client, all) => client.Release(all.node, all.arg));
        }

        _loop.Post(static state =>
        {
            (ClusterClient client, NodeId node, ReleaseIn arg) = ((ClusterClient, NodeId, ReleaseIn))state!;
            client.Release(node, arg).AsTask().Watch();
        }, (_client, node, arg));
        return new ValueTask<Errno>(Errnos.Ok);
    }

    /// <inheritdoc/>
    public ValueTask<Errno> Fsync(RequestContext context, NodeId node, FsyncIn arg) =>
        Call(node, static (client, node) => client.Fsync(node));

    /// <inheritdoc/>
    public ValueTask<Result<OpenOut>> Opendir(RequestContext context, NodeId node, OpenIn arg) =>
        Call(node, static (client, node) => client.Opendir(node));

    /// <inheritdoc/>
    public ValueTask<Result<int>> Readdir(RequestContext context, NodeId node, ReadIn arg, Memory<byte> buffer) =>
        Call((node, arg, buffer), static (client, all) => client.Readdir(all.node, all.arg, all.buffer, plus: false));

    /// <inheritdoc/>
    public ValueTask<Result<int>> Readdirplus(RequestContext context, NodeId node, ReadIn arg, Memory<byte> buffer) =>
        Call((node, arg, buffer), static (client, all) => client.Readdir(all.node, all.arg, all.buffer, plus: true));

    /// <inheritdoc/>
    public ValueTask<Errno> Releasedir(RequestContext context, NodeId node, ReleaseIn arg) => Call(arg.Fh, static (client, fh) =>
    {
        client.Releasedir(fh);
        return new ValueTask<Errno>(Errnos.Ok);
    });

    /// <inheritdoc/>
    public ValueTask<Errno> Fsyncdir(RequestContext context, NodeId node, FsyncIn arg) => Call(node, static (client, _) => client.Fsyncdir());

    /// <inheritdoc/>
    public ValueTask<Result<FileLock>> Getlk(RequestContext context, NodeId node, LkIn arg) =>
        Call((node, arg), static (client, all) => client.Getlk(all.node, all.arg));

    /// <inheritdoc/>
    public ValueTask<Errno> Setlk(RequestContext context, NodeId node, LkIn arg, bool wait)
    {
        CancellationToken interrupted = wait ? context.Interrupted : CancellationToken.None;
        return Call((node, arg, wait, interrupted), static (client, all) => client.Setlk(all.node, all.arg, all.wait, all.interrupted));
    }

    /// <inheritdoc/>
    public ValueTask<Errno> Fallocate(RequestContext context, NodeId node, FallocateIn arg) =>
        Call((node, arg), static (client, all) => client.Fallocate(all.node, all.arg));

    /// <inheritdoc/>
    public ValueTask<Result<ulong>> Lseek(RequestContext context, NodeId node, LseekIn arg) =>
        Call((node, arg), static (client, all) => client.Lseek(all.node, all.arg));

    /// <inheritdoc/>
    public ValueTask<Result<ulong>> CopyFileRange(RequestContext context, NodeId node, CopyFileRangeIn arg) =>
        Call((context, node, arg), static (client, all) => client.CopyFileRange(all.context, all.node, all.arg));
}
