using Harness.FuseProtocol.Wire;

namespace Harness.Transport.Simulated.Requests;

/// <summary>Lookups given back that the daemon has not been told of: FORGET for one, BATCH_FORGET for several.</summary>
internal sealed class Forgets(FuseConnection connection)
{
    private readonly Queue<ForgetOne> _pending = new();

    /// <summary>Nodes of which the daemon is yet to be told.</summary>
    public int Count => _pending.Count;

    public void Add(ulong nodeId, ulong lookups) => _pending.Enqueue(new ForgetOne { Nodeid = nodeId, Nlookup = lookups });

    /// <summary>Makes the next message: one that names all, as many as a message holds (fs/fuse/dev.c, <c>fuse_read_forget</c>).</summary>
    public KernelRequest Take(int messageBytes)
    {
        if (_pending.Count == 1)
        {
            ForgetOne single = _pending.Dequeue();
            KernelRequest forget = connection.Rent(Opcode.Forget, single.Nodeid);
            forget.Add(new ForgetIn { Nlookup = single.Nlookup });
            return Finish(forget);
        }

        const int OneSize = 16;
        const int BatchSize = 8;
        int count = Math.Min(_pending.Count, (messageBytes - InHeader.Size - BatchSize) / OneSize);
        KernelRequest batch = connection.Rent(Opcode.BatchForget, 0);
        batch.Add(new BatchForgetIn { Count = (uint)count });
        for (int i = 0; i < count; i++)
        {
            batch.Add(_pending.Dequeue());
        }

        return Finish(batch);
    }

    private KernelRequest Finish(KernelRequest request)
    {
        request.Header.Unique = connection.NextUnique();
        request.Seal();
        return request;
    }
}
