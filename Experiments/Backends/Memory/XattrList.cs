namespace Harness.Experiments.Backends.Memory;

/// <summary>The extended attributes of a node, sorted by name. Guarded by their inode.</summary>
internal sealed class XattrList
{
    /// <summary>What an attribute takes besides name and value, in bytes, roughly: two array headers and a slot.</summary>
    private const int OverheadBytes = 64;

    private readonly List<(byte[] Name, byte[] Value)> _all = [];

    /// <summary>How many there are.</summary>
    public int Count => _all.Count;

    /// <summary>Memory that they take, in bytes, of which the file system's capacity pays whole pages.</summary>
    public long Bytes { get; private set; }

    /// <summary>The attribute at an index, in the order of names.</summary>
    public (byte[] Name, byte[] Value) this[int index] => _all[index];

    /// <summary>Memory that all would take with this attribute set, in bytes.</summary>
    public long BytesWith(ReadOnlySpan<byte> name, int valueLength)
    {
        byte[]? old = Find(name);
        return Bytes + (old is null ? OverheadBytes + name.Length : -old.Length) + valueLength;
    }

    /// <summary>The value of an attribute, or null. Who holds the inode may change its bytes.</summary>
    public byte[]? Find(ReadOnlySpan<byte> name)
    {
        int index = IndexOf(name);
        return index >= 0 ? _all[index].Value : null;
    }

    /// <summary>Adds or replaces an attribute.</summary>
    public void Set(ReadOnlySpan<byte> name, byte[] value)
    {
        Bytes = BytesWith(name, value.Length);
        int index = IndexOf(name);
        if (index >= 0)
        {
            _all[index] = (_all[index].Name, value);
        }
        else
        {
            _all.Insert(~index, (name.ToArray(), value));
        }
    }

    /// <summary>Removes an attribute.</summary>
    /// <returns>False if there was none.</returns>
    public bool Remove(ReadOnlySpan<byte> name)
    {
        int index = IndexOf(name);
        if (index < 0)
        {
            return false;
        }

        Bytes -= OverheadBytes + name.Length + _all[index].Value.Length;
        _all.RemoveAt(index);
        return true;
    }

    /// <summary>The index of a name, or the complement of where it belongs.</summary>
    private int IndexOf(ReadOnlySpan<byte> name)
    {
        int low = 0;
        int high = _all.Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            int order = _all[middle].Name.AsSpan().SequenceCompareTo(name);
            if (order == 0)
            {
                return middle;
            }

            (low, high) = order < 0 ? (middle + 1, high) : (low, middle);
        }

        return ~low;
    }
}
