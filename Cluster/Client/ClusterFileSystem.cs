using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;
using Harness.Runtime;
using Mono.Unix.Native;

namespace Harness.Cluster.Client;

/// <summary>A cluster as a file system for the kernel: brings each request, from whatever thread, to the client's loop.</summary>
public sealed partial class ClusterFileSystem : IFileSystem, IAnswerSource
{
    private readonly ILoop _loop;
    private readonly ClusterClient _client;

    internal ClusterFileSystem(ILoop loop, ClusterClient client) => (_loop, _client) = (loop, client);

    /// <inheritdoc/>
    /// <remarks>The kernel drops data when it is told to, and not because a time has changed: the writer's own kernel would drop them too.</remarks>
    public InitFlags Capabilities =>
        InitFlags.AtomicOTrunc | InitFlags.ExportSupport | InitFlags.DontMask | InitFlags.DoReaddirplus | InitFlags.ReaddirplusAuto |
        InitFlags.ParallelDirops | InitFlags.PosixAcl | InitFlags.CacheSymlinks | InitFlags.HandleKillprivV2 | InitFlags.SetxattrExt |
        InitFlags.SecurityCtx | InitFlags.FlockLocks | InitFlags.PosixLocks | InitFlags.ExplicitInvalData;

    /// <inheritdoc/>
    public IAnswerSource Answers => this;

    /// <inheritdoc/>
    public bool TryAttend() => _loop.TryAttend();

    /// <inheritdoc/>
    public bool Attend() => _loop.Attend();

    /// <inheritdoc/>
    public void EndAttend() => _loop.EndAttend();

    /// <inheritdoc/>
    public void Attach(FuseNotifier notifier) => _client.Kernel.Attach(notifier);

    /// <inheritdoc/>
    public void Start(NegotiatedInit init) => _client.Start(init);

    /// <inheritdoc/>
    public void Forget(NodeId node, ulong lookups) =>
        _loop.Post(static state =>
        {
            (ClusterClient client, NodeId node, ulong lookups) = ((ClusterClient, NodeId, ulong))state!;
            client.Forget(node, lookups);
        }, (_client, node, lookups));

    /// <inheritdoc/>
    public ValueTask<Result<EntryOut>> Lookup(RequestContext context, NodeId parent, ReadOnlyMemory<byte> name) =>
        _client.TryFindAbsent(parent, name.Span, out Result<EntryOut> absent)
            ? new ValueTask<Result<EntryOut>>(absent)
            : Call((parent, name), static (client, arg) => client.Lookup(arg.parent, arg.name));

    /// <inheritdoc/>
    public ValueTask<Result<AttrOut>> Getattr(RequestContext context, NodeId node, GetattrIn arg) =>
        _client.TryGetAttributes(node, out AttrOut attributes)
            ? new ValueTask<Result<AttrOut>>(attributes)
            : Call(node, static (client, node) => client.Getattr(node));

    /// <inheritdoc/>
    public ValueTask<Result<StatxOut>> Statx(RequestContext context, NodeId node, StatxIn arg) =>
        Call(node, static (client, node) => client.Statx(node));

    /// <inheritdoc/>
    public ValueTask<Result<AttrOut>> Setattr(RequestContext context, NodeId node, SetattrIn arg) =>
        Call((context, node, arg), static (client, all) => client.Setattr(all.context, all.node, all.arg));

    /// <inheritdoc/>
    public ValueTask<Result<int>> Readlink(RequestContext context, NodeId node, Memory<byte> buffer) =>
        Call((node, buffer), static (client, all) => client.Readlink(all.node, all.buffer));

    /// <inheritdoc/>
    public ValueTask<Result<EntryOut>> Symlink(
        RequestContext context, NodeId parent, ReadOnlyMemory<byte> name, ReadOnlyMemory<byte> target) =>
        Call((context, parent, name, target), static (client, all) => client.Symlink(all.context, all.parent, all.name, all.target));

    /// <inheritdoc/>
    public ValueTask<Result<EntryOut>> Mknod(RequestContext context, NodeId parent, ReadOnlyMemory<byte> name, MknodIn arg) =>
        Call((context, parent, name, arg), static (client, all) => client.Mknod(all.context, all.parent, all.name, all.arg));

    /// <inheritdoc/>
    public ValueTask<Result<EntryOut>> Mkdir(RequestContext context, NodeId parent, ReadOnlyMemory<byte> name, MkdirIn arg) =>
        Call((context, parent, name, arg), static (client, all) => client.Mkdir(all.context, all.parent, all.name, all.arg));

    /// <inheritdoc/>
    public ValueTask<Errno> Unlink(RequestContext context, NodeId parent, ReadOnlyMemory<byte> name) =>
        Call((parent, name), static (client, all) => client.Unlink(all.parent, all.name));

    /// <inheritdoc/>
    public ValueTask<Errno> Rmdir(RequestContext context, NodeId parent, ReadOnlyMemory<byte> name) =>
        Call((parent, name), static (client, all) => client.Rmdir(all.parent, all.name));

    /// <inheritdoc/>
    public ValueTask<Errno> Rename(
        RequestContext context, NodeId parent, ReadOnlyMemory<byte> name, NodeId newParent, ReadOnlyMemory<byte> newName, RenameFlags flags) =>
        Call(
            (context, parent, name, newParent, newName, flags),
            static (client, all) => client.Rename(all.context, all.parent, all.name, all.newParent, all.newName, all.flags));

    /// <inheritdoc/>
    public ValueTask<Result<EntryOut>> Link(RequestContext context, NodeId node, NodeId newParent, ReadOnlyMemory<byte> newName) =>
        Call((node, newParent, newName), static (client, all) => client.Link(all.node, all.newParent, all.newName));

    /// <inheritdoc/>
    public ValueTask<Result<Kstatfs>> Statfs(RequestContext context, NodeId node) => Call(node, static (client, _) => client.Statfs());

    /// <inheritdoc/>
    public ValueTask<Errno> Syncfs(RequestContext context, NodeId node) => Call(node, static (client, _) => client.Syncfs());

    /// <inheritdoc/>
    public ValueTask<Errno> Setxattr(
        RequestContext context, NodeId node, ReadOnlyMemory<byte> name, ReadOnlyMemory<byte> value, SetxattrIn arg) =>
        Call((node, name, value, arg), static (client, all) => client.Setxattr(all.node, all.name, all.value, all.arg));

    /// <inheritdoc/>
    public ValueTask<Result<int>> Getxattr(RequestContext context, NodeId node, ReadOnlyMemory<byte> name, Memory<byte> buffer) =>
        _client.TryFindNoXattr(node, name.Span, out Errno none)
            ? new ValueTask<Result<int>>(none)
            : Call((node, name, buffer), static (client, all) => client.Getxattr(all.node, all.name, all.buffer));

    /// <inheritdoc/>
    public ValueTask<Result<int>> Listxattr(RequestContext context, NodeId node, Memory<byte> buffer) =>
        Call((context, node, buffer), static (client, all) => client.Listxattr(all.context, all.node, all.buffer));

    /// <inheritdoc/>
    public ValueTask<Errno> Removexattr(RequestContext context, NodeId node, ReadOnlyMemory<byte> name) =>
        Call((node, name), static (client, all) => client.Removexattr(all.node, all.name));

    private ValueTask<TResult> Call<TArg, TResult>(in TArg arg, Func<ClusterClient, TArg, ValueTask<TResult>> call) =>
        LoopCall<ClusterClient, TArg, TResult>.Run(_loop, _client, arg, call);
}
