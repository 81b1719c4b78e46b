using Harness.Simulation.Chance;

namespace Harness.Cluster.Disk;

/// <summary>A simulated file's bytes: as processes see them, and what was there at the last sync of the blocks changed since.</summary>
internal sealed class SimInode
{
    private const int BlockBytes = 4096;
    private const int SectorBytes = 512;

    private readonly SortedDictionary<long, byte[]> _blocks = [];
    private readonly SortedDictionary<long, byte[]?> _synced = [];
    private long _syncedLength;

    /// <summary>Its size as processes see it.</summary>
    public long Length { get; private set; }

    /// <summary>Space it takes.</summary>
    public long BytesUsed => _blocks.Count * (long)BlockBytes;

    /// <summary>Bytes that a sync has to write.</summary>
    public long BytesDirty => _synced.Count * (long)BlockBytes;

    /// <summary>Space that bytes would take besides what is there.</summary>
    public long BytesToAdd(long offset, int length)
    {
        long missing = 0;
        for (long index = offset / BlockBytes; index * BlockBytes < offset + length; index++)
        {
            missing += _blocks.ContainsKey(index) ? 0 : BlockBytes;
        }

        return missing;
    }

    public int Read(long offset, Span<byte> buffer)
    {
        int count = (int)Math.Max(0, Math.Min(buffer.Length, Length - offset));
        for (int done = 0; done < count;)
        {
            (long index, int within) = Math.DivRem(offset + done, BlockBytes) is var (q, r) ? (q, (int)r) : default;
            Span<byte> part = buffer[done..Math.Min(count, done + BlockBytes - within)];
            if (_blocks.TryGetValue(index, out byte[]? block))
            {
                block.AsSpan(within, part.Length).CopyTo(part);
            }
            else
            {
                part.Clear();
            }

            done += part.Length;
        }

        return count;
    }

    public void Write(long offset, ReadOnlySpan<byte> data)
    {
        Length = Math.Max(Length, offset + data.Length);
        while (!data.IsEmpty)
        {
            long index = offset / BlockBytes;
            int within = (int)(offset % BlockBytes);
            int count = Math.Min(data.Length, BlockBytes - within);
            byte[] block = Change(index);
            data[..count].CopyTo(block.AsSpan(within));
            data = data[count..];
            offset += count;
        }
    }

    public void Truncate(long length)
    {
        if (length < Length)
        {
            Zero(length, Length - length);
        }

        Length = length;
    }

    public void Zero(long offset, long length)
    {
        long end = offset + length;
        foreach (long index in _blocks.Keys.Where(index => (index + 1) * BlockBytes > offset && index * BlockBytes < end).ToArray())
        {
            long from = Math.Max(offset, index * BlockBytes);
            long to = Math.Min(end, (index + 1) * BlockBytes);
            byte[] block = Change(index);
            block.AsSpan((int)(from - (index * BlockBytes)), (int)(to - from)).Clear();
            if (to - from == BlockBytes)
            {
                _blocks.Remove(index);
            }
        }
    }

    public void Sync()
    {
        _synced.Clear();
        _syncedLength = Length;
    }

    public void PowerLoss(SimRandom random)
    {
        foreach ((long index, byte[]? old) in _synced.ToArray())
        {
            byte[] kept = new byte[BlockBytes];
            byte[] fresh = _blocks.GetValueOrDefault(index) ?? new byte[BlockBytes];
            bool torn = random.Chance(0.25);
            bool keepsNew = random.Chance(0.5);
            for (int sector = 0; sector < BlockBytes; sector += SectorBytes)
            {
                bool takeNew = torn ? random.Chance(0.5) : keepsNew;
                byte[]? source = takeNew ? fresh : old;
                source?.AsSpan(sector, SectorBytes).CopyTo(kept.AsSpan(sector));
            }

            _blocks[index] = kept;
        }

        if (random.Chance(0.5))
        {
            Length = _syncedLength;
            foreach (long index in _blocks.Keys.Where(index => index * BlockBytes >= Length).ToArray())
            {
                _blocks.Remove(index);
            }
        }

        Sync();
    }

    public bool Rot(long offset, int bit)
    {
        if (!_blocks.TryGetValue(offset / BlockBytes, out byte[]? block))
        {
            return false;
        }

        block[(int)(offset % BlockBytes)] ^= (byte)(1 << bit);
        return true;
    }

    /// <summary>The block, to be changed, its synced state remembered.</summary>
    private byte[] Change(long index)
    {
        byte[]? block = _blocks.GetValueOrDefault(index);
        if (!_synced.ContainsKey(index))
        {
            _synced[index] = block?.ToArray();
        }

        return block ?? (_blocks[index] = new byte[BlockBytes]);
    }
}
