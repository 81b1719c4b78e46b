using Google.Protobuf;

namespace Harness.Cluster.Client;

/// <summary>
/// The names that a directory may have, from the time on when it was empty and its lease came: what is not among them is certainly absent, and
/// need not be asked for.
/// </summary>
/// <remarks>
/// A name is added before anything is done that may make it: before this client's request is sent, and before a recall for another client's
/// is answered, for which that one's change waits. It goes only when this client has removed it and nothing was added meanwhile.
/// </remarks>
internal sealed class KnownNames
{
    /// <summary>Beyond so many the directory is as any other.</summary>
    public const int NamesMax = 65_536;

    private readonly HashSet<ByteString> _names = [];

    /// <summary>Counts what was added: a removal that began at a lower count may be older than the name.</summary>
    public long Additions { get; private set; }

    /// <summary>Whether the name may exist.</summary>
    public bool MayHave(ByteString name) => _names.Contains(name);

    /// <summary>The name may exist from now on.</summary>
    /// <returns>False if there are too many to know them all.</returns>
    public bool TryAdd(ByteString name)
    {
        Additions++;
        return _names.Contains(name) || (_names.Count < NamesMax && _names.Add(name));
    }

    /// <summary>The name was removed.</summary>
    /// <param name="name">Which.</param>
    /// <param name="since"><see cref="Additions"/> when the removal was asked for.</param>
    public void Remove(ByteString name, long since)
    {
        if (since == Additions)
        {
            _names.Remove(name);
        }
    }
}
