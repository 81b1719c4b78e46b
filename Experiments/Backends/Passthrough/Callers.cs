using System.ComponentModel;
using Harness.FuseProtocol;
using Harness.Runtime.Native;
using Mono.Unix.Native;

namespace Harness.Experiments.Backends.Passthrough;

/// <summary>
/// Does single system calls in the name of whoever caused them: what a user makes is the user's, and what a user changes loses the set-id bits
/// that the user may not keep.
/// </summary>
/// <remarks>
/// Linux keeps the file-system ids, groups, capabilities and (after <c>unshare</c>) the umask by thread, so that nobody else is affected. Whether
/// the caller may do the call at all the kernel has checked already, with all his groups and capabilities, which are not known here: so the
/// host's own check of permissions is overridden. Without root every call is this process's own, and so is what it makes.
/// </remarks>
internal sealed class Callers
{
    /// <summary>What setfsuid(2) from root to another user takes away (include/linux/capability.h, <c>CAP_FS_SET</c>).</summary>
    private const ulong FsCapabilities = 0x1_0800_021F;

    private const uint Root = 0;
    private const uint Ask = uint.MaxValue;

    [ThreadStatic]
    private static bool t_isPrepared;

    private readonly bool _canSwitch;
    private readonly Capabilities _own;
    private readonly Capabilities _creating;
    private readonly Capabilities _withoutFsetid;

    /// <summary>Notes what this process may do.</summary>
    public Callers()
    {
        const ulong Needed = Capabilities.Setuid | Capabilities.Setgid;
        bool known = Libc.GetThreadCapabilities(out _own) == 0;
        _canSwitch = known && Libc.IsRoot && (_own.Effective & Needed) == Needed;
        ulong overriding = _own.Permitted & (Capabilities.DacOverride | Capabilities.DacReadSearch | Capabilities.Mknod);
        _creating = _own with { Effective = (_own.Effective & ~FsCapabilities) | overriding };
        _withoutFsetid = _own with { Effective = _own.Effective & ~Capabilities.Fsetid };
    }

    /// <summary>Becomes the caller for a call that makes a file: its owner, group, umask and default ACL are then the host's affair.</summary>
    public Assumed Create(RequestContext context, uint umask)
    {
        PrepareThread();
        var assumed = new Assumed(this) { Umask = Libc.Umask(umask) };
        if (_canSwitch)
        {
            ReadOnlySpan<uint> groups = context.Extensions.SupplementaryGroups;
            assumed.HasGroups = !groups.IsEmpty && Libc.SetThreadGroups(groups) == 0;
            assumed.Become(context.Uid, context.Gid);
        }

        return assumed;
    }

    /// <summary>
    /// Gives up, for one call that changes a file, the right to keep its set-id bits (HANDLE_KILLPRIV_V2 leaves clearing them to the file
    /// system). The caller's group stays his: a member may keep a set-group-id that does not execute (fs/attr.c,
    /// <c>setattr_should_drop_sgid</c>).
    /// </summary>
    /// <param name="context">Who asks.</param>
    /// <param name="needed">Whether the request demands it; if not, nothing happens.</param>
    public Assumed ClearSetIds(RequestContext context, bool needed)
    {
        if (!needed || !_canSwitch)
        {
            return default;
        }

        PrepareThread();
        var assumed = new Assumed(this);
        assumed.BecomeGroup(context.Gid);
        assumed.DropFsetid();
        return assumed;
    }

    /// <summary>Takes the thread's umask out of the process's, and gives up root's own groups, which would count as the caller's.</summary>
    private void PrepareThread()
    {
        if (t_isPrepared)
        {
            return;
        }

        if (Libc.UnshareFs() != 0 || (_canSwitch && Libc.SetThreadGroups([]) != 0))
        {
            throw new Win32Exception((int)Libc.LastErrno, $"This sandbox forbids a thread an umask or groups of its own: {Libc.LastErrno}");
        }

        t_isPrepared = true;
    }

    /// <summary>What the thread has taken on, until it is disposed.</summary>
    internal ref struct Assumed(Callers callers) : IDisposable
    {
        private readonly Callers? _callers = callers;
        private bool _hasUid;
        private bool _hasGid;
        private bool _hasCapabilities;

        /// <summary>Ok, or EPERM if the caller has an id that this process cannot take on: a user namespace without it.</summary>
        public Errno Error { get; private set; }

        /// <summary>The umask to go back to; null if it was left.</summary>
        public uint? Umask { get; init; }

        /// <summary>Whether the thread has supplementary groups to give up.</summary>
        public bool HasGroups { get; set; }

        public void Become(uint uid, uint gid)
        {
            BecomeGroup(gid);
            if (uid != Root && Error == Errnos.Ok)
            {
                _ = Libc.SetFsUid(uid);
                _hasUid = true;
                bool became = Libc.SetFsUid(Ask) == uid && Libc.SetThreadCapabilities(in _callers!._creating) == 0;
                Error = became ? Errnos.Ok : Errno.EPERM;
            }
        }

        public void BecomeGroup(uint gid)
        {
            if (gid != Root)
            {
                _ = Libc.SetFsGid(gid);
                _hasGid = true;
                Error = Libc.SetFsGid(Ask) == gid ? Errnos.Ok : Errno.EPERM;
            }
        }

        public void DropFsetid() => _hasCapabilities = Libc.SetThreadCapabilities(in _callers!._withoutFsetid) == 0;

        /// <summary>Becomes root again, whose capabilities come back with the user id.</summary>
        public readonly void Dispose()
        {
            if (_hasUid)
            {
                _ = Libc.SetFsUid(Root);
            }

            if (_hasCapabilities)
            {
                _ = Libc.SetThreadCapabilities(in _callers!._own);
            }

            if (_hasGid)
            {
                _ = Libc.SetFsGid(Root);
            }

            if (HasGroups)
            {
                _ = Libc.SetThreadGroups([]);
            }

            if (Umask is uint mask)
            {
                _ = Libc.Umask(mask);
            }
        }
    }
}
