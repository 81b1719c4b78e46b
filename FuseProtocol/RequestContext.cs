using System.Runtime.CompilerServices;
using Harness.FuseProtocol.Wire;

namespace Harness.FuseProtocol;

/// <summary>Who asks: what a file system may know of a request besides its arguments. Valid until the request is answered.</summary>
public readonly struct RequestContext
{
    private readonly FuseRequest? _request;

    /// <summary>The context of a message that is being handled.</summary>
    public RequestContext(FuseRequest request)
    {
        _request = request;
        ref readonly InHeader header = ref request.Header;
        Unique = header.Unique;
        Uid = header.Uid;
        Gid = header.Gid;
        Pid = header.Pid;
    }

    /// <summary>A caller that no message stands behind, for tests and for work a file system does on its own account.</summary>
    public RequestContext(uint uid, uint gid, uint pid = 0)
    {
        Uid = uid;
        Gid = gid;
        Pid = pid;
    }

    /// <summary>The message's number, unique in its connection; bit 63 marks one that was sent again.</summary>
    public ulong Unique { get; }

    /// <summary>The caller's file-system user id.</summary>
    public uint Uid { get; }

    /// <summary>The caller's file-system group id.</summary>
    public uint Gid { get; }

    /// <summary>The caller's thread id; 0 where the kernel itself asks.</summary>
    public uint Pid { get; }

    /// <summary>
    /// Whether the request has an entry in a journal (<see cref="OnceOnly"/>), so that it may come again, to a later process, if this one ends
    /// before it has answered.
    /// </summary>
    public bool IsJournaled => _request?.IsJournaled ?? false;

    /// <summary>
    /// Whether a process before this one began the request and ended before it answered. What was asked for may have been done, in part or
    /// wholly; <see cref="Note"/> is there to tell.
    /// </summary>
    public bool MayHaveRun => _request?.MayHaveRun ?? false;

    /// <summary>
    /// A word that stays with a journaled request, also from one process to the next: what a file system notes before it acts, to find out
    /// later whether it has. 0 at first, and for ever where the request is in no journal.
    /// </summary>
    public ulong Note
    {
        get => _request?.Note ?? 0;
        set
        {
            if (_request is not null)
            {
                _request.Note = value;
            }
        }
    }

    /// <summary>Cancelled when the caller was interrupted by a signal.</summary>
    public CancellationToken Interrupted => _request?.Interrupted ?? CancellationToken.None;

    /// <summary>The extensions of a request that creates (CREATE_SUPP_GROUP, SECURITY_CTX).</summary>
    public RequestExtensions Extensions
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => new(_request is null ? default : _request.Extensions.Span);
    }
}
