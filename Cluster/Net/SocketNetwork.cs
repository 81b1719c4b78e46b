using System.Net;
using System.Security.Cryptography;
using Harness.FuseProtocol;
using Harness.Runtime;
using Harness.Runtime.Native;
using Mono.Unix.Native;

namespace Harness.Cluster.Net;

/// <summary>The real side of <see cref="INetwork"/>: TCP, for loops that are <see cref="EventLoop"/>s.</summary>
/// <remarks>
/// Who listens on a loopback address listens under an abstract Unix name too, and who connects to one tries that first: between processes of
/// one host a message then does not pass the TCP stack twice, nor a congestion control that paces it.
/// </remarks>
/// <param name="limits">Of each connection; by default the defaults.</param>
/// <param name="isLocal">Whether who listens does so under the Unix name alone, for processes of this host, and opens no port.</param>
internal sealed class SocketNetwork(ConnectionLimits? limits = null, bool isLocal = false) : INetwork
{
    private const int NumbersTried = 1_000;
    private const int NumberMin = 1_024;


    private readonly ConnectionLimits _limits = limits ?? new ConnectionLimits();

    /// <inheritdoc/>
    public Result<IListener> Listen(ILoop loop, NodeAddress address, Action<IConnection> accepted)
    {
        if (!TryEndPoint(address, out IPEndPoint? endPoint))
        {
            return Errno.EINVAL;
        }

        if (isLocal)
        {
            return ListenLocally((EventLoop)loop, endPoint!, accepted);
        }

        Errno error = StreamSocket.Listen(endPoint!, out StreamSocket? socket);
        if (error != Errnos.Ok)
        {
            return error;
        }

        var listener = new Listener((EventLoop)loop, socket!, accepted, _limits);
        string name = LocalName(endPoint!.Address, listener.Address.Port);
        if (IPAddress.IsLoopback(endPoint.Address) && StreamSocket.Listen(name, out StreamSocket? local) == Errnos.Ok)
        {
            listener.Also = new Listener((EventLoop)loop, local!, accepted, _limits, listener.Address);
        }

        return Results.Of<IListener>(listener);
    }

    /// <inheritdoc/>
    public ValueTask<Result<IConnection>> Connect(ILoop loop, NodeAddress address)
    {
        if (!TryEndPoint(address, out IPEndPoint? endPoint))
        {
            return new ValueTask<Result<IConnection>>(Errno.EINVAL);
        }

        if (IPAddress.IsLoopback(endPoint!.Address) && StreamSocket.Connect(LocalName(endPoint.Address, endPoint.Port)) is { } local)
        {
            return new ValueTask<Result<IConnection>>(Results.Of<IConnection>(new SocketConnection((EventLoop)loop, local, address, _limits)));
        }

        Errno error = StreamSocket.Connect(endPoint, out StreamSocket? socket);
        return error != Errnos.Ok
            ? new ValueTask<Result<IConnection>>(error)
            : new Connecting((EventLoop)loop, socket!, address, _limits).Task;
    }

    /// <summary>Listens under a name alone. It has a number like a port's, so that an address is one whichever way it is reached; 0 takes any.</summary>
    private Result<IListener> ListenLocally(EventLoop loop, IPEndPoint endPoint, Action<IConnection> accepted)
    {
        Errno error = IPAddress.IsLoopback(endPoint.Address) ? Errno.EADDRINUSE : Errno.EADDRNOTAVAIL;
        int tries = endPoint.Port == 0 ? NumbersTried : 1;
        for (int i = 0; i < tries && error == Errno.EADDRINUSE; i++)
        {
            int number = endPoint.Port != 0 ? endPoint.Port : RandomNumberGenerator.GetInt32(NumberMin, IPEndPoint.MaxPort + 1);
            error = StreamSocket.Listen(LocalName(endPoint.Address, number), out StreamSocket? socket);
            if (error == Errnos.Ok)
            {
                return Results.Of<IListener>(new Listener(loop, socket!, accepted, _limits, new NodeAddress(endPoint.Address.ToString(), number)));
            }
        }

        return error;
    }

    private static string LocalName(IPAddress address, int port) => $"harness/{address}/{port}";

    private static bool TryEndPoint(NodeAddress address, out IPEndPoint? endPoint)
    {
        string host = address.Host == "localhost" ? "127.0.0.1" : address.Host;
        endPoint = IPAddress.TryParse(host, out IPAddress? ip) ? new IPEndPoint(ip, address.Port) : null;
        return endPoint is not null;
    }

    private sealed class Listener : IListener, IReadinessHandler
    {
        private readonly EventLoop _loop;
        private readonly StreamSocket _socket;
        private readonly Action<IConnection> _accepted;
        private readonly ConnectionLimits _limits;
        private int _watch = -1;
        private bool _disposed;

        public Listener(EventLoop loop, StreamSocket socket, Action<IConnection> accepted, ConnectionLimits limits, NodeAddress? address = null)
        {
            (_loop, _socket, _accepted, _limits) = (loop, socket, accepted, limits);
            Address = address ?? AddressOf(socket.LocalAddress());
            Loops.OnLoop(loop, Begin);
        }

        public NodeAddress Address { get; }

        /// <summary>Another one that ends with it.</summary>
        public Listener? Also { get; set; }

        public void OnReady(bool readable, bool writable)
        {
            while (!_disposed && _socket.Accept(out IPEndPoint? remote, out _) is { } socket)
            {
                _accepted(new SocketConnection(_loop, socket, AddressOf(remote!), _limits));
            }
        }

        public void Dispose() => Loops.OnLoop(_loop, End);

        private static NodeAddress AddressOf(IPEndPoint endPoint) => new(endPoint.Address.ToString(), endPoint.Port);

        private void Begin()
        {
            if (!_disposed)
            {
                _watch = _loop.Watch(_socket, this, writable: false);
            }
        }

        private void End()
        {
            if (!_disposed)
            {
                Also?.End();
                _disposed = true;
                if (_watch >= 0)
                {
                    _loop.Unwatch(_socket, _watch);
                }

                _socket.Dispose();
            }
        }
    }

    private sealed class Connecting : IReadinessHandler
    {
        private readonly EventLoop _loop;
        private readonly StreamSocket _socket;
        private readonly NodeAddress _address;
        private readonly ConnectionLimits _limits;
        private readonly TaskCompletionSource<Result<IConnection>> _done = new();
        private readonly int _watch;

        public Connecting(EventLoop loop, StreamSocket socket, NodeAddress address, ConnectionLimits limits)
        {
            (_loop, _socket, _address, _limits) = (loop, socket, address, limits);
            _watch = loop.Watch(socket, this);
        }

        public ValueTask<Result<IConnection>> Task => new(_done.Task);

        public void OnReady(bool readable, bool writable)
        {
            if (!writable || _done.Task.IsCompleted)
            {
                return;
            }

            _loop.Unwatch(_socket, _watch);
            Errno error = _socket.ConnectError();
            if (error != Errnos.Ok)
            {
                _socket.Dispose();
                _done.SetResult(error);
                return;
            }

            _done.SetResult(Results.Of<IConnection>(new SocketConnection(_loop, _socket, _address, _limits)));
        }
    }
}
