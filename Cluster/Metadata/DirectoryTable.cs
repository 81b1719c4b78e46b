namespace Harness.Cluster.Metadata;

/// <summary>A name in a directory, without the name's bytes.</summary>
internal struct NameEntry
{
    /// <summary>What it names; 0 once the name is removed.</summary>
    public ulong Inode;

    /// <summary>Where the name stands in listings; never given to another name of the same directory.</summary>
    public ulong Cookie;

    /// <summary>Where the bytes of the name begin.</summary>
    public int Offset;

    /// <summary>The next entry with the same bucket, or -1.</summary>
    public int Next;

    /// <summary>The name's hash.</summary>
    public int Hash;

    /// <summary>Bytes of the name.</summary>
    public byte Length;
}

/// <summary>The names in a directory: found by name, listed by cookie. 44 bytes and the name itself for each.</summary>
/// <remarks>
/// Entries lie in the order of their cookies, names one behind the other, and chains of indexes lead from hash to entry. Cookies only grow,
/// so a listing that goes on behind a cookie misses nothing that stays and meets nothing twice, whatever else comes and goes. A name that is
/// replaced or renamed within the directory keeps its place. Removed entries leave once they are the greater part. The order of hashes is
/// never seen, so their seed may differ between processes.
/// </remarks>
internal sealed class DirectoryTable
{
    /// <summary>What stat(2) shows as the size of a directory.</summary>
    public const ulong ShownBytes = 4096;

    /// <summary>The first cookie of a name; smaller ones belong to <c>.</c> and <c>..</c>.</summary>
    public const ulong FirstCookie = 3;

    private const int RemovedMin = 32;
    private const int BytesWastedMin = 4096;

    private NameEntry[] _entries = [];
    private int[] _buckets = [];
    private byte[] _bytes = [];
    private int _length;
    private int _bytesUsed;
    private int _bytesLive;

    /// <summary>How many names there are.</summary>
    public int Count { get; private set; }

    /// <summary>The cookie that the next name will get.</summary>
    public ulong NextCookie { get; private set; } = FirstCookie;

    /// <summary>The entries in the order of cookies; those removed name inode 0.</summary>
    public ReadOnlySpan<NameEntry> Entries => _entries.AsSpan(0, _length);

    /// <summary>The bytes of an entry's name.</summary>
    public ReadOnlySpan<byte> NameOf(in NameEntry entry) => _bytes.AsSpan(entry.Offset, entry.Length);

    /// <summary>What a name stands for; 0 if there is no such name.</summary>
    public ulong Find(ReadOnlySpan<byte> name)
    {
        int index = IndexOf(name);
        return index >= 0 ? _entries[index].Inode : 0;
    }

    /// <summary>Adds a name that is not there.</summary>
    public void Add(ReadOnlySpan<byte> name, ulong inode) => Add(name, inode, NextCookie);

    /// <summary>Adds a name that is not there at its place in a listing, which is behind all others.</summary>
    public void Add(ReadOnlySpan<byte> name, ulong inode, ulong cookie)
    {
        if (_length == _entries.Length)
        {
            Array.Resize(ref _entries, Math.Max(2, _entries.Length * 2));
        }

        int index = _length++;
        _entries[index] = new NameEntry { Inode = inode, Cookie = cookie, Hash = HashOf(name), Length = (byte)name.Length, Offset = Keep(name) };
        Count++;
        NextCookie = cookie + 1;
        if (_entries.Length > _buckets.Length)
        {
            Rehash();
        }
        else
        {
            Enchain(index);
        }
    }

    /// <summary>Lets a name that is there stand for another inode, in the same place.</summary>
    public void Replace(ReadOnlySpan<byte> name, ulong inode) => _entries[IndexOf(name)].Inode = inode;

    /// <summary>Removes a name that is there.</summary>
    public void Remove(ReadOnlySpan<byte> name)
    {
        int index = IndexOf(name);
        Unchain(index);
        _bytesLive -= _entries[index].Length;
        _entries[index].Inode = 0;
        Count--;
        int removed = _length - Count;
        if (removed > RemovedMin && removed > Count)
        {
            Compact();
        }
    }

    /// <summary>Gives an entry a name that is not there; it keeps its place.</summary>
    public void Rename(ReadOnlySpan<byte> name, ReadOnlySpan<byte> newName)
    {
        int index = IndexOf(name);
        Unchain(index);
        ref NameEntry entry = ref _entries[index];
        _bytesLive -= entry.Length;
        (entry.Hash, entry.Length) = (HashOf(newName), (byte)newName.Length);
        entry.Offset = Keep(newName);
        Enchain(index);
        if (_bytesUsed > BytesWastedMin + (2 * _bytesLive))
        {
            // Names that were replaced have left their bytes behind.
            Compact();
        }
    }

    /// <summary>The index of the first entry behind a cookie.</summary>
    public int IndexBehind(ulong cookie)
    {
        int low = 0;
        int high = _length;
        while (low < high)
        {
            int middle = (low + high) / 2;
            (low, high) = _entries[middle].Cookie <= cookie ? (middle + 1, high) : (low, middle);
        }

        return low;
    }

    /// <summary>Sets the next cookie, which may lie behind the last name's, when a directory is read from a snapshot.</summary>
    public void RestoreNextCookie(ulong cookie) => NextCookie = Math.Max(NextCookie, cookie);

    private static int HashOf(ReadOnlySpan<byte> name)
    {
        var hash = default(HashCode);
        hash.AddBytes(name);
        return hash.ToHashCode();
    }

    private int IndexOf(ReadOnlySpan<byte> name)
    {
        if (_buckets.Length == 0)
        {
            return -1;
        }

        int hash = HashOf(name);
        int index = _buckets[hash & (_buckets.Length - 1)] - 1;
        while (index >= 0 && !(_entries[index].Hash == hash && NameOf(in _entries[index]).SequenceEqual(name)))
        {
            index = _entries[index].Next;
        }

        return index;
    }

    private int Keep(ReadOnlySpan<byte> name)
    {
        if (_bytesUsed + name.Length > _bytes.Length)
        {
            Array.Resize(ref _bytes, Math.Max(_bytesUsed + name.Length, Math.Max(32, _bytes.Length + (_bytes.Length / 2))));
        }

        int offset = _bytesUsed;
        name.CopyTo(_bytes.AsSpan(offset));
        _bytesUsed += name.Length;
        _bytesLive += name.Length;
        return offset;
    }

    private void Enchain(int index)
    {
        ref int bucket = ref _buckets[_entries[index].Hash & (_buckets.Length - 1)];
        _entries[index].Next = bucket - 1;
        bucket = index + 1;
    }

    private void Unchain(int index)
    {
        ref int bucket = ref _buckets[_entries[index].Hash & (_buckets.Length - 1)];
        if (bucket - 1 == index)
        {
            bucket = _entries[index].Next + 1;
            return;
        }

        int at = bucket - 1;
        while (_entries[at].Next != index)
        {
            at = _entries[at].Next;
        }

        _entries[at].Next = _entries[index].Next;
    }

    private void Rehash()
    {
        _buckets = new int[_entries.Length];
        for (int i = 0; i < _length; i++)
        {
            if (_entries[i].Inode != 0)
            {
                Enchain(i);
            }
        }
    }

    private void Compact()
    {
        (NameEntry[] entries, byte[] bytes, int length) = (_entries, _bytes, _length);
        _entries = new NameEntry[Math.Max(2, (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)Count + 1))];
        (_length, _bytesUsed, _bytesLive, _bytes) = (0, 0, 0, []);
        foreach (ref readonly NameEntry entry in entries.AsSpan(0, length))
        {
            if (entry.Inode != 0)
            {
                ref NameEntry kept = ref _entries[_length++];
                kept = entry;
                kept.Offset = Keep(bytes.AsSpan(entry.Offset, entry.Length));
            }
        }

        Rehash();
    }
}
