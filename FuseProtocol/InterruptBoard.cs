using Harness.FuseProtocol.Wire;

namespace Harness.FuseProtocol;

/// <summary>Brings interrupts to the requests they are meant for, whichever of the two arrives first.</summary>
/// <remarks>
/// They can overtake: request and interrupt may be read by different threads, and a request on a ring is interrupted through the device.
/// Nor does the kernel send an interrupt again there, since it looks for the request only among those of the fd that the answer came by
/// (fs/fuse/dev.c, <c>fuse_dev_do_write</c>). So an interrupt that finds no request is left here for it. Numbers are compared without the bit
/// that marks a request sent again: the kernel may set it between request and interrupt.
/// </remarks>
internal sealed class InterruptBoard
{
    /// <summary>Interrupts that wait for their request; a newer one takes an older one's place.</summary>
    private const int EarlyMax = 64;

    private readonly ulong[] _early = new ulong[EarlyMax];
    private readonly Lock _adding = new();
    private volatile FuseRequest[] _slots = [];

    /// <summary>Makes a slot known, which interrupts shall find from now on.</summary>
    public void Add(FuseRequest slot)
    {
        lock (_adding)
        {
            _slots = [.. _slots, slot];
        }
    }

    /// <summary>Delivers an interrupt that came before <paramref name="request"/>. On every request's way, so without any fence.</summary>
    public void Deliver(FuseRequest request)
    {
        ulong unique = request.Header.Unique & ~Protocol.UniqueResend;
        ref ulong early = ref Early(unique);
        if (Volatile.Read(ref early) == unique && Interlocked.CompareExchange(ref early, 0, unique) == unique)
        {
            request.TryInterrupt(unique);
        }
    }

    /// <summary>Delivers an interrupt to the request with this number.</summary>
    /// <returns>False if it is not here, in which case it will be interrupted when it comes.</returns>
    public bool TryDeliver(ulong unique)
    {
        unique &= ~Protocol.UniqueResend;
        ref ulong early = ref Early(unique);
        Interlocked.Exchange(ref early, unique);
        // A request that was put into its slot before this fence is found below; one that comes after sees what was just left for it.
        Interlocked.MemoryBarrierProcessWide();
        bool found = false;
        foreach (FuseRequest slot in _slots)
        {
            found |= slot.TryInterrupt(unique);
        }

        if (found)
        {
            Interlocked.CompareExchange(ref early, 0, unique);
        }

        return found;
    }

    // Numbers of requests are even (fs/fuse/fuse_i.h, FUSE_REQ_ID_STEP).
    private ref ulong Early(ulong unique) => ref _early[(int)((unique >> 1) % EarlyMax)];
}
