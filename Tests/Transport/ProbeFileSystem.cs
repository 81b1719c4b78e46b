using System.Collections.Concurrent;
using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;
using Mono.Unix.Native;

namespace Harness.Tests.Transport;

/// <summary>One file, <c>probe</c>, that notes what it is asked, and answers at once, later from other threads, or not before it is told to.</summary>
internal sealed class ProbeFileSystem : IFileSystem
{
    public const long FileBytes = 1L << 30;

    private const ulong ProbeNode = 2;
    private const ulong NeverExpires = 3600;

    private int _lookups;

    /// <summary>Whether READ and WRITE are answered from the thread pool.</summary>
    public bool AnswersElsewhere { get; init; }

    /// <summary>READs of the last block wait for this, or for an interrupt.</summary>
    public TaskCompletionSource? Gate { get; init; }

    /// <summary>Set when a READ has begun to wait at the gate.</summary>
    public TaskCompletionSource AtGate { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Sizes of the READs and WRITEs, in bytes.</summary>
    public ConcurrentQueue<uint> Sizes { get; } = new();

    /// <summary>Lookups of the file that the kernel has not forgotten.</summary>
    public int Lookups => Volatile.Read(ref _lookups);

    /// <summary>Whether a READ was interrupted.</summary>
    public bool Interrupted { get; private set; }

    /// <summary>The byte that the file has at an offset.</summary>
    public static byte ByteAt(long offset) => (byte)((offset >> 12) ^ offset);

    public ValueTask<Result<EntryOut>> Lookup(RequestContext context, NodeId parent, ReadOnlyMemory<byte> name)
    {
        if (!name.Span.SequenceEqual("probe"u8))
        {
            return new(Errno.ENOENT);
        }

        Interlocked.Increment(ref _lookups);
        return new(new EntryOut { Nodeid = ProbeNode, EntryValid = NeverExpires, AttrValid = NeverExpires, Attr = AttrOf(ProbeNode) });
    }

    public void Forget(NodeId node, ulong lookups)
    {
        if (node.Value == ProbeNode)
        {
            Interlocked.Add(ref _lookups, -(int)lookups);
        }
    }

    public ValueTask<Result<AttrOut>> Getattr(RequestContext context, NodeId node, GetattrIn arg) =>
        new(new AttrOut { AttrValid = NeverExpires, Attr = AttrOf(node.Value) });

    public ValueTask<Result<OpenOut>> Open(RequestContext context, NodeId node, OpenIn arg) =>
        new(new OpenOut { OpenFlags = FopenFlags.ParallelDirectWrites });

    public ValueTask<Result<int>> Read(RequestContext context, NodeId node, ReadIn arg, Memory<byte> buffer)
    {
        Sizes.Enqueue(arg.Size);
        if (Gate is not null && (long)arg.Offset + arg.Size >= FileBytes)
        {
            return WaitAtGate(context, buffer);
        }

        return AnswersElsewhere ? FillElsewhere((long)arg.Offset, buffer) : new(Fill((long)arg.Offset, buffer.Span));
    }

    public ValueTask<Result<int>> Write(RequestContext context, NodeId node, WriteIn arg, ReadOnlyMemory<byte> data)
    {
        Sizes.Enqueue(arg.Size);
        return AnswersElsewhere ? CheckElsewhere((long)arg.Offset, data) : new(Check((long)arg.Offset, data.Span));
    }

    private static async ValueTask<Result<int>> FillElsewhere(long offset, Memory<byte> buffer)
    {
        await Task.Yield();
        return Fill(offset, buffer.Span);
    }

    private static async ValueTask<Result<int>> CheckElsewhere(long offset, ReadOnlyMemory<byte> data)
    {
        await Task.Yield();
        return Check(offset, data.Span);
    }

    private static Result<int> Fill(long offset, Span<byte> buffer)
    {
        for (int i = 0; i < buffer.Length; i++)
        {
            buffer[i] = ByteAt(offset + i);
        }

        return buffer.Length;
    }

    private static Result<int> Check(long offset, ReadOnlySpan<byte> data)
    {
        for (int i = 0; i < data.Length; i++)
        {
            if (data[i] != ByteAt(offset + i))
            {
                return Errno.EILSEQ;
            }
        }

        return data.Length;
    }

    private static Attr AttrOf(ulong node) => node == NodeId.Root.Value
        ? new Attr { Ino = 1, Mode = 0x41ED, Nlink = 2 }
        : new Attr { Ino = node, Mode = 0x81B6, Nlink = 1, Size = FileBytes };

    private async ValueTask<Result<int>> WaitAtGate(RequestContext context, Memory<byte> buffer)
    {
        CancellationToken interrupted = context.Interrupted;
        AtGate.TrySetResult();
        try
        {
            await Gate!.Task.WaitAsync(interrupted);
            return buffer.Length;
        }
        catch (OperationCanceledException)
        {
            Interrupted = true;
            return Errno.EINTR;
        }
    }
}
