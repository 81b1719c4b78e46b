using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;
using Harness.Simulation.Machines;
using Mono.Unix.Native;

namespace Harness.Transport.Simulated.Requests;

/// <summary>A request in the simulated kernel, from its making to its answer (<c>struct fuse_req</c> with its arguments).</summary>
/// <remarks>Rented from and returned to its <see cref="FuseConnection"/> by whoever sends it; one in the background returns itself.</remarks>
/// <param name="machine">Whose CPUs it travels between.</param>
internal sealed class KernelRequest(Machine machine)
{
    private byte[] _head = new byte[256];
    private int _headLength;
    private byte[] _out = new byte[256];

    public InHeader Header;

    /// <summary>Data that follow the arguments, as those of a WRITE, in the memory they come from.</summary>
    public List<ReadOnlyMemory<byte>> Data { get; } = [];

    /// <summary>Where the data of the answer go, as those of a READ; without any they are kept in <see cref="Out"/>.</summary>
    public List<Memory<byte>> Into { get; } = [];

    /// <summary>What the answer says, unless it went to <see cref="Into"/>.</summary>
    public ReadOnlySpan<byte> Out => _out.AsSpan(0, OutLength);

    /// <summary>Bytes of the answer behind its header.</summary>
    public int OutLength { get; private set; }

    /// <summary>The most bytes that the answer may have.</summary>
    public int OutMax { get; set; }

    /// <summary>What it was answered with.</summary>
    public Errno Error { get; private set; }

    /// <summary>Whether it has been answered.</summary>
    public bool IsDone { get; private set; }

    /// <summary>Whether it counts against the limit of background requests.</summary>
    public bool IsBackground { get; set; }

    /// <summary>Whether the daemon has it.</summary>
    public bool IsSent { get; set; }

    /// <summary>The CPU whose queue it was put into, for designs with several.</summary>
    public int Queue { get; set; }

    /// <summary>The node of the memory that its data come from and go to.</summary>
    public int Node { get; set; }

    /// <summary>Its first cache line, which the queues that it stands in change: list nodes, flags and count (<c>struct fuse_req</c>).</summary>
    public SimCacheLine Links { get; } = new(machine);

    /// <summary>The CPU that changed the rest of it last.</summary>
    public SimCpu? Cpu { get; set; }

    /// <summary>Who waits for it.</summary>
    public SimThread? Waiter { get; set; }

    /// <summary>What becomes of it once it is answered; runs on the thread that answers.</summary>
    public RequestEnd? End { get; set; }

    /// <summary>What <see cref="End"/> needs to know.</summary>
    public object? Context { get; set; }

    /// <summary>The offset that it reads or writes at, for <see cref="End"/>.</summary>
    public long Offset { get; set; }

    /// <summary>Length of the message, header included.</summary>
    public int Length => (int)Header.Len;

    /// <summary>Bytes of data that it moves either way.</summary>
    public int DataLength { get; private set; }

    public void Begin(Opcode opcode, ulong nodeId)
    {
        Header = new InHeader { Opcode = opcode, NodeId = nodeId };
        _headLength = 0;
        OutLength = 0;
        OutMax = 0;
        DataLength = 0;
        Error = Errnos.Ok;
        IsDone = IsBackground = IsSent = false;
        Waiter = null;
        Cpu = null;
        End = null;
        Context = null;
        Data.Clear();
        Into.Clear();
    }

    public void Add<T>(in T argument)
        where T : unmanaged
    {
        int size = Unsafe.SizeOf<T>();
        Grow(size);
        MemoryMarshal.Write(_head.AsSpan(_headLength), in argument);
        _headLength += size;
    }

    public void AddBytes(ReadOnlySpan<byte> bytes)
    {
        Grow(bytes.Length);
        bytes.CopyTo(_head.AsSpan(_headLength));
        _headLength += bytes.Length;
    }

    /// <summary>Adds a name and its NUL.</summary>
    public void AddName(string name)
    {
        Grow(Encoding.UTF8.GetMaxByteCount(name.Length) + 1);
        _headLength += Encoding.UTF8.GetBytes(name, _head.AsSpan(_headLength));
        _head[_headLength++] = 0;
    }

    /// <summary>Counts the message's length, which is complete now.</summary>
    public void Seal()
    {
        int length = InHeader.Size + _headLength;
        DataLength = 0;
        foreach (ReadOnlyMemory<byte> piece in Data)
        {
            DataLength += piece.Length;
        }

        Header.Len = (uint)(length + DataLength);
        foreach (Memory<byte> piece in Into)
        {
            DataLength += piece.Length;
        }
    }

    /// <summary>Copies what follows the header to where the daemon reads it.</summary>
    public int CopyBody(Span<byte> body)
    {
        _head.AsSpan(0, _headLength).CopyTo(body);
        int at = _headLength;
        foreach (ReadOnlyMemory<byte> piece in Data)
        {
            piece.Span.CopyTo(body[at..]);
            at += piece.Length;
        }

        return at;
    }

    /// <summary>Takes the answer.</summary>
    public void Take(Errno error, ReadOnlySpan<byte> payload)
    {
        Error = error;
        OutLength = payload.Length;
        IsDone = true;
        if (Into.Count > 0)
        {
            foreach (Memory<byte> piece in Into)
            {
                int length = Math.Min(piece.Length, payload.Length);
                payload[..length].CopyTo(piece.Span);
                payload = payload[length..];
            }

            return;
        }

        if (_out.Length < payload.Length)
        {
            _out = new byte[payload.Length];
        }

        payload.CopyTo(_out);
    }

    /// <summary>Reads a struct of the answer; zeros where the answer is shorter.</summary>
    public T Read<T>()
        where T : unmanaged => OutLength >= Unsafe.SizeOf<T>() ? MemoryMarshal.Read<T>(_out) : default;

    public override string ToString() => $"the answer to {Header.Opcode} (unique {Header.Unique})";

    private void Grow(int more)
    {
        if (_headLength + more > _head.Length)
        {
            Array.Resize(ref _head, Math.Max(2 * _head.Length, _headLength + more));
        }
    }
}

/// <summary>What becomes of an answered background request, on the thread that answers it.</summary>
internal delegate ValueTask RequestEnd(SimThread thread, KernelRequest request);
