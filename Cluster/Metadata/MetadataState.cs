using Harness.Cluster.Wire;
using Harness.FuseProtocol;
using Mono.Unix.Native;

namespace Harness.Cluster.Metadata;

/// <summary>
/// The metadata of a file system, in memory, as a pure state machine: a command changes it and has an outcome, both of which depend on the
/// command and the commands before it and on nothing else.
/// </summary>
/// <remarks>
/// Belongs to one loop. POSIX lives here; who may do what, the kernel checks (<c>default_permissions</c>). That a session still exists and
/// that a retried mutation does not run twice is checked here too, for every command alike, before it is looked at.
/// </remarks>
internal sealed partial class MetadataState
{
    /// <summary>The root directory's inode number (<c>FUSE_ROOT_ID</c>).</summary>
    public const ulong Root = 1;

    private readonly InodeTable _inodes = new();
    private readonly SortedDictionary<ulong, Session> _sessions = [];

    /// <summary>Nothing yet, not even a root: the first command is a <see cref="StartTerm"/>.</summary>
    public MetadataState(MetadataLimits limits) => Limits = limits;

    /// <summary>What it may grow to.</summary>
    public MetadataLimits Limits { get; }

    /// <summary>The cluster's id; 0 before the first term.</summary>
    public ulong Cluster { get; private set; }

    /// <summary>The present term.</summary>
    public ulong Term { get; private set; }

    /// <summary>How many inodes there are.</summary>
    public int InodeCount => _inodes.Count;

    /// <summary>The sessions, by number.</summary>
    public IReadOnlyDictionary<ulong, Session> Sessions => _sessions;

    /// <summary>Told of each chunk that no file has any longer.</summary>
    public Action<ulong, ChunkRecord>? ChunkDropped { get; set; }

    private long Now { get; set; }

    /// <summary>Executes a command.</summary>
    public Outcome Apply(Command command)
    {
        Now = command.TimeNanos;
        if (command.Session == 0)
        {
            return Execute(command);
        }

        if (!_sessions.TryGetValue(command.Session, out Session? session))
        {
            return Failed(Errno.ENOTCONN);
        }

        session.Acknowledge(command.Acknowledged);
        if (command.Mutation == 0)
        {
            return Execute(command);
        }

        if (session.Recall(command.Mutation) is { } before)
        {
            return before;
        }

        if (command.Mutation <= session.Acknowledged)
        {
            // A copy that the network has kept for long: the client knows the outcome and no longer listens.
            return Failed(Errno.ESTALE);
        }

        if (session.Remembered.Count >= Limits.RememberedMax && command.Mutation != session.Acknowledged + 1)
        {
            // Not the first without an answer, however: nothing is forgotten before that one has its own.
            return Failed(Errno.EAGAIN);
        }

        Outcome outcome = Execute(command);
        session.Remember(command.Mutation, outcome);
        return outcome;
    }

    private Outcome Execute(Command command) => command.BodyCase switch
    {
        Command.BodyOneofCase.Make => MakeNode(command.Session, command.Make),
        Command.BodyOneofCase.Link => Link(command.Link),
        Command.BodyOneofCase.Unlink => Unlink(command.Unlink),
        Command.BodyOneofCase.Rename => Rename(command.Rename),
        Command.BodyOneofCase.SetAttributes => SetAttributes(command.SetAttributes),
        Command.BodyOneofCase.SetXattr => SetXattr(command.SetXattr),
        Command.BodyOneofCase.RemoveXattr => RemoveXattr(command.RemoveXattr),
        Command.BodyOneofCase.SetLock => SetLock(command.Session, command.SetLock),
        Command.BodyOneofCase.ReleaseLocks => ReleaseLocks(command.Session, command.ReleaseLocks),
        Command.BodyOneofCase.AllocateChunks => AllocateChunks(command.AllocateChunks),
        Command.BodyOneofCase.Wrote => Wrote(command.Wrote),
        Command.BodyOneofCase.DropChunks => DropChunks(command.DropChunks),
        Command.BodyOneofCase.Hold => Hold(command.Session, command.Hold),
        Command.BodyOneofCase.Release => ReleaseAll(command.Session, command.Release),
        Command.BodyOneofCase.AllocateAll => All(command.AllocateAll.Files, AllocateChunks),
        Command.BodyOneofCase.WroteAll => All(command.WroteAll.Files, Wrote),
        Command.BodyOneofCase.OpenSession => OpenSession(command.OpenSession),
        Command.BodyOneofCase.CloseSession => CloseSession(command.CloseSession.Session),
        Command.BodyOneofCase.StartTerm => StartTerm(command.StartTerm),
        Command.BodyOneofCase.RegisterServer => RegisterServer(command.RegisterServer),
        Command.BodyOneofCase.SetServerState => SetServerState(command.SetServerState),
        Command.BodyOneofCase.ChangeReplicas => ChangeReplicas(command.ChangeReplicas),

        // A newer release's command. To go on without it would be to become a different file system.
        _ => throw new InvalidDataException(
            $"The metadata log has a command that this release does not know ({command.CalculateSize()} bytes). Run the newer release."),
    };

    /// <summary>Executes a command for several files, of which each has its outcome.</summary>
    private static Outcome All<T>(IEnumerable<T> files, Func<T, Outcome> execute)
    {
        var all = new Outcome();
        foreach (T file in files)
        {
            all.Parts.Add(execute(file));
        }

        return all;
    }

    private static Outcome Failed(Errno error) => new() { Errno = (uint)error };

    private static Outcome Done(Errno error = Errnos.Ok) => new() { Errno = (uint)error };

    private Outcome Done(in Inode inode) => new() { Attributes = inode.ToAttributes(Limits.ChunkBytes) };
}
