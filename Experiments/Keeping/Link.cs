using System.Runtime.InteropServices;
using Harness.Runtime.Native;

namespace Harness.Experiments.Keeping;

/// <summary>What supervisor and daemon say to each other.</summary>
internal enum LinkVerb : uint
{
    /// <summary>Daemon: it has started, and knows this version of the state.</summary>
    Hello = 1,

    /// <summary>Supervisor: the state's memory, attached.</summary>
    State = 2,

    /// <summary>Supervisor: the connection's descriptors, attached.</summary>
    Devices = 3,

    /// <summary>Supervisor: descriptors that it has kept, attached, each with the number of its slot.</summary>
    Descriptors = 4,

    /// <summary>Supervisor: that was all.</summary>
    Go = 5,

    /// <summary>Daemon: it serves.</summary>
    Ready = 6,

    /// <summary>Daemon: keep the attached descriptor in this slot.</summary>
    Keep = 7,

    /// <summary>Daemon: nobody needs what is in this slot.</summary>
    Drop = 8,
}

/// <summary>One end of the line between supervisor and daemon: packets of a verb, some numbers and some descriptors.</summary>
/// <remarks>
/// What one end has sent reaches the other even if the sender dies, so that nobody has to wait for it. Sending is thread-safe; receiving is
/// one thread's.
/// </remarks>
internal sealed class Link : IDisposable
{
    /// <summary>Numbers, and descriptors, in a packet.</summary>
    public const int ValuesMax = UnixSocket.DescriptorsMax;

    private readonly SafeHandle _socket;
    private readonly uint[] _words = new uint[1 + ValuesMax];
    private readonly int[] _descriptors = new int[ValuesMax];
    private Received _received;

    /// <summary>Takes over a socket that keeps packets apart.</summary>
    public Link(SafeHandle socket) => _socket = socket;

    /// <summary>The socket's number, to wait for.</summary>
    public int Number => (int)_socket.DangerousGetHandle();

    /// <summary>What the last packet said.</summary>
    public LinkVerb Verb => (LinkVerb)_words[0];

    /// <summary>The last packet's numbers.</summary>
    public ReadOnlySpan<uint> Values => _words.AsSpan(1, Math.Max(0, (_received.Bytes / sizeof(uint)) - 1));

    /// <summary>The last packet's descriptors, which belong to whoever received it.</summary>
    public ReadOnlySpan<int> Descriptors => _descriptors.AsSpan(0, _received.Descriptors);

    /// <summary>Sends a packet.</summary>
    /// <returns>False if nobody is at the other end.</returns>
    public bool TrySend(LinkVerb verb, ReadOnlySpan<uint> values = default, ReadOnlySpan<int> descriptors = default)
    {
        Span<uint> words = stackalloc uint[1 + values.Length];
        words[0] = (uint)verb;
        values.CopyTo(words[1..]);
        return UnixSocket.TrySend(_socket, MemoryMarshal.AsBytes(words), descriptors);
    }

    /// <summary>Receives a packet.</summary>
    /// <param name="wait">Whether to wait for one.</param>
    /// <returns>True for a packet, false for the end: the other process is gone. Null if there is none yet.</returns>
    public bool? Receive(bool wait)
    {
        _received = UnixSocket.Receive(_socket, MemoryMarshal.AsBytes(_words.AsSpan()), _descriptors, wait);
        return _received.Bytes < 0 ? null : _received.Bytes > 0;
    }

    /// <inheritdoc/>
    public void Dispose() => _socket.Dispose();
}
