using Harness.Runtime.Native;

namespace Harness.Experiments.Keeping;

/// <summary>
/// The supervisor's side of the descriptors that survive a daemon: it holds them open by the number of their slot, and knows no more of them.
/// Four bytes a slot, as far as slots have been used. For one thread.
/// </summary>
internal sealed class DescriptorShelf(int slotsMax) : IDisposable
{
    private const int Empty = -1;
    private const int SlotsAtFirst = 64;

    private readonly int _slotsMax = slotsMax;
    private int[] _fds = [];

    /// <summary>How many are held.</summary>
    public int Count { get; private set; }

    /// <summary>What is in a slot; null for nothing. It stays the shelf's.</summary>
    public int? Find(uint slot) => slot < (uint)_fds.Length && _fds[slot] != Empty ? _fds[slot] : null;

    /// <summary>Takes a descriptor over, in the place of what was in the slot. One for a slot that there is not is closed.</summary>
    public void Keep(uint slot, int fd)
    {
        if (slot >= (uint)_slotsMax)
        {
            _ = Libc.Close(fd);
            return;
        }

        Drop(slot);
        if (slot >= (uint)_fds.Length)
        {
            int length = _fds.Length;
            Array.Resize(ref _fds, Math.Min(_slotsMax, Math.Max(SlotsAtFirst, Math.Max(2 * length, (int)slot + 1))));
            _fds.AsSpan(length).Fill(Empty);
        }

        _fds[slot] = fd;
        Count++;
    }

    /// <summary>Closes what is in a slot.</summary>
    public void Drop(uint slot)
    {
        if (Find(slot) is int fd)
        {
            _ = Libc.Close(fd);
            _fds[slot] = Empty;
            Count--;
        }
    }

    /// <summary>Sends copies of all to a daemon.</summary>
    /// <returns>False if it did not take them.</returns>
    public bool TrySendAll(Link link)
    {
        uint[] slots = new uint[Link.ValuesMax];
        int[] fds = new int[Link.ValuesMax];
        int count = 0;
        for (int slot = 0; slot < _fds.Length; slot++)
        {
            if (_fds[slot] != Empty)
            {
                slots[count] = (uint)slot;
                fds[count++] = _fds[slot];
            }

            bool isLast = slot == _fds.Length - 1;
            if (count > 0 && (count == fds.Length || isLast))
            {
                if (!link.TrySend(LinkVerb.Descriptors, slots.AsSpan(0, count), fds.AsSpan(0, count)))
                {
                    return false;
                }

                count = 0;
            }
        }

        return true;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        for (uint slot = 0; slot < (uint)_fds.Length; slot++)
        {
            Drop(slot);
        }
    }
}
