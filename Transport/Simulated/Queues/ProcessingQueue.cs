using System.Runtime.CompilerServices;
using Harness.Simulation.Machines;
using Harness.Transport.Simulated.Requests;

namespace Harness.Transport.Simulated.Queues;

/// <summary>
/// The requests that a descriptor's readers have taken and not answered, in lists by number, under one lock (fs/fuse/dev.c,
/// <c>struct fuse_pqueue</c>).
/// </summary>
internal sealed class ProcessingQueue(Machine machine, string name)
{
    // FUSE_PQ_HASH_SIZE heads of 16 bytes (fs/fuse/fuse_i.h), four in a cache line.
    private const int Heads = 256;
    private const int HeadsOfLine = 4;
    private const int UniqueBits = 1;

    private readonly SimSpinLock _lock = new(machine, name);
    private readonly SimCacheLine[] _heads = [.. Enumerable.Range(0, Heads / HeadsOfLine).Select(_ => new SimCacheLine(machine))];

    /// <summary>A request is copied to the daemon and waits for its answer: once into the list of those being copied, once into that of its number.</summary>
    [AsyncMethodBuilder(typeof(SimMethodBuilder))]
    public async ValueTask Keep(SimThread reader, KernelRequest request)
    {
        await _lock.AcquireCharged(reader);
        _lock.TouchBeside(reader);
        _lock.Release(reader);
        await _lock.AcquireWithin(reader);
        Move(reader, request);
        _lock.Release(reader);
    }

    /// <summary>An answer has come: once out of the list of its number, once out of the list of those being copied.</summary>
    [AsyncMethodBuilder(typeof(SimMethodBuilder))]
    public async ValueTask Find(SimThread answerer, KernelRequest request)
    {
        await _lock.AcquireCharged(answerer);
        Move(answerer, request);
        _lock.Release(answerer);
        await _lock.AcquireWithin(answerer);
        _lock.TouchBeside(answerer);
        _lock.Release(answerer);
    }

    /// <summary>Holding the lock: moves a request into or out of the list of its number.</summary>
    private void Move(SimThread thread, KernelRequest request)
    {
        _lock.TouchBeside(thread);
        _heads[(int)((request.Header.Unique >> UniqueBits) % Heads) / HeadsOfLine].Touch(thread);
        request.Links.Touch(thread);
    }
}
