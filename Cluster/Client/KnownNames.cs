using Google.Protobuf;
using Harness.FuseProtocol.Wire;

namespace Harness.Cluster.Client;

/// <summary>
/// What is known of a directory for certain that was made here: the names that it may have, from the time on when it was empty and its lease came,
/// and its attributes. What is not among the names is absent, and need not be asked for.
/// </summary>
/// <remarks>
/// A name is added before anything is done that may make it: before this client's request is sent, and before a recall for another client's
/// is answered, for which that one's change waits. It goes only when this client has removed it and nothing was added meanwhile. For any thread.
/// </remarks>
/// <param name="session">The session whose lease it lives by.</param>
internal sealed class KnownNames(ulong session)
{
    /// <summary>Beyond so many the directory is as any other.</summary>
    private const int NamesMax = 65_536;

    private readonly Lock _gate = new();
    private readonly HashSet<ByteString> _names = [];
    private long _additions;
    private volatile KnownAttributes? _attributes;
    private bool _ended;

    /// <summary>The session whose lease it lives by.</summary>
    public ulong Session => session;

    /// <summary>Counts what was added: a removal that began at a lower count may be older than the name.</summary>
    public long Additions
    {
        get
        {
            lock (_gate)
            {
                return _additions;
            }
        }
    }

    /// <summary>The directory's attributes; null while they have to be asked for.</summary>
    public KnownAttributes? Attributes => _attributes;

    /// <summary>Whether there is certainly no such name now, as long as the session holds.</summary>
    public bool IsAbsent(ByteString name)
    {
        lock (_gate)
        {
            return !_ended && !_names.Contains(name);
        }
    }

    /// <summary>The name may exist from now on.</summary>
    public void Add(ByteString name)
    {
        lock (_gate)
        {
            _additions++;
            _ended |= _names.Count >= NamesMax;
            _names.Add(name);
        }
    }

    /// <summary>The name was removed.</summary>
    /// <param name="name">Which.</param>
    /// <param name="since"><see cref="Additions"/> when the removal was asked for.</param>
    public void Remove(ByteString name, long since)
    {
        lock (_gate)
        {
            if (since == _additions)
            {
                _names.Remove(name);
            }
        }
    }

    /// <summary>The directory's attributes are these from now on, or have to be asked for.</summary>
    public void Set(KnownAttributes? attributes)
    {
        lock (_gate)
        {
            _attributes = _ended ? null : attributes;
        }
    }

    /// <summary>From now on nothing is certain any more.</summary>
    public void End()
    {
        lock (_gate)
        {
            _ended = true;
            _attributes = null;
            _names.Clear();
        }
    }
}

/// <summary>Attributes as they were at one time.</summary>
/// <param name="Attr">As the kernel wants them.</param>
internal sealed record KnownAttributes(Attr Attr);
