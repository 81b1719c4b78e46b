using Harness.FuseProtocol.Wire;
using Mono.Unix.Native;

namespace Harness.FuseProtocol;

/// <summary>
/// Counts and times the requests of one slot. A request has a slot for itself until it is answered, so the calls for one slot never overlap,
/// on whichever threads they come, and a meter needs no lock.
/// </summary>
/// <remarks>On every request's way: must not throw, block or allocate in steady state.</remarks>
public abstract class SlotMeter
{
    /// <summary>A message has come into the slot; the calling thread is the channel's.</summary>
    public abstract void Received(in InHeader header);

    /// <summary>The session has done its part and the file system's begins. A second call for the same request does not count.</summary>
    public abstract void Dispatched();

    /// <summary>The answer is complete and is about to be sent; or there is none to send, and the request ends.</summary>
    /// <param name="header">The request's.</param>
    /// <param name="error">0 or an errno, not negated.</param>
    /// <param name="length">Bytes of the reply behind its header.</param>
    /// <returns>A ticket for <see cref="Sent"/>; 0 if it need not be called.</returns>
    public abstract long Answered(in InHeader header, Errno error, int length);

    /// <summary>The answer has been handed to the channel. The slot may hold another request by now: only the ticket says which this was.</summary>
    public abstract void Sent(long ticket);
}
