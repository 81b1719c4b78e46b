using Harness.FuseProtocol;
using Harness.Runtime;
using Mono.Unix.Native;

namespace Harness.Cluster.Net;

/// <summary>The network as one node sees it. Real side <see cref="SocketNetwork"/>, simulated side <see cref="SimHost"/>.</summary>
internal interface INetwork
{
    /// <summary>Listens. <paramref name="accepted"/> is called on <paramref name="loop"/> with each connection, which it starts or closes.</summary>
    /// <returns>EADDRINUSE, EADDRNOTAVAIL or EACCES where the address cannot be had; EINVAL if it is none.</returns>
    Result<IListener> Listen(ILoop loop, NodeAddress address, Action<IConnection> accepted);

    /// <summary>Connects; the connection belongs to <paramref name="loop"/>, on which the task completes.</summary>
    /// <returns>ECONNREFUSED, EHOSTUNREACH and their like; ETIMEDOUT if nobody answered for as long as the network waits.</returns>
    ValueTask<Result<IConnection>> Connect(ILoop loop, NodeAddress address);
}

/// <summary>A place that accepts connections until it is disposed. Those it has accepted live on.</summary>
internal interface IListener : IDisposable
{
    /// <summary>Where it listens, with the port it was given.</summary>
    NodeAddress Address { get; }
}

/// <summary>A connection that carries frames, in order, for one loop; every member is for that loop alone.</summary>
internal interface IConnection
{
    /// <summary>The other side's address, as far as it is known.</summary>
    NodeAddress Remote { get; }

    /// <summary>Whether frames can still be sent.</summary>
    bool IsOpen { get; }

    /// <summary>How many frames were accepted by <see cref="Send"/>.</summary>
    long FramesQueued { get; }

    /// <summary>How many of them the network has taken over, so that their payloads' memory is free again.</summary>
    long FramesSent { get; }

    /// <summary>Begins to receive; to be called once, before frames can arrive.</summary>
    void Start(IFrameSink sink);

    /// <summary>
    /// Queues a frame. The header's magic, sizes and checksum are filled in here; the body is copied; the payload is not, and its bytes must
    /// stay as they are until <see cref="FramesSent"/> has passed this frame or the connection is closed.
    /// </summary>
    /// <returns>EAGAIN if as much is queued as the limits allow; ENOTCONN if the connection is closed. The payload is then not taken over.</returns>
    Errno Send(in FrameHeader header, ReadOnlySpan<byte> body, in Payload payload);

    /// <summary>Ends the connection; frames not sent yet are lost. The sink hears of it, later, on the loop. Calling it again does nothing.</summary>
    /// <param name="reason">For the log.</param>
    void Close(string reason);
}

/// <summary>Whoever receives a connection's frames, on its loop.</summary>
internal interface IFrameSink
{
    /// <summary>A frame's header and body have arrived, and their checksum is right.</summary>
    /// <param name="header">The header.</param>
    /// <param name="body">Valid during this call.</param>
    /// <returns>
    /// Where the payload goes, <see cref="FrameHeader.PayloadBytes"/> long; or nothing, and the payload is dropped as it comes. May be asked
    /// to let go by <see cref="IConnection.Close"/> only.
    /// </returns>
    Memory<byte> OnHead(in FrameHeader header, ReadOnlySpan<byte> body);

    /// <summary>The frame whose head came last is complete.</summary>
    void OnFrame();

    /// <summary>The connection has ended; nothing comes after this.</summary>
    /// <param name="reason">For the log: who ended it, or what was wrong.</param>
    void OnClosed(string reason);
}
