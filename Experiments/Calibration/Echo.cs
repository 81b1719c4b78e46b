using System.Net;
using System.Net.Sockets;

namespace Harness.Experiments.Calibration;

/// <summary>A thread on a CPU that sends back what one client sends it over TCP.</summary>
internal sealed class EchoServer : IDisposable
{
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly PinnedThread _thread;

    /// <summary>Listens at a port of the system's choice.</summary>
    public EchoServer(int cpu, int messageBytes)
    {
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen();
        _thread = PinnedThread.Start(cpu, () => Serve(messageBytes));
    }

    /// <summary>Where it listens.</summary>
    public int Port => ((IPEndPoint)_listener.LocalEndPoint!).Port;

    /// <summary>Ends when its client has.</summary>
    public void Dispose()
    {
        _listener.Dispose();
        _thread.Dispose();
    }

    private void Serve(int messageBytes)
    {
        byte[] message = new byte[messageBytes];
        try
        {
            using Socket client = _listener.Accept();
            client.NoDelay = true;
            while (client.Receive(message) is int received and > 0)
            {
                client.Send(message.AsSpan(0, received));
            }
        }
        catch (SocketException)
        {
            // The client has gone in the middle of a message, or never came.
            return;
        }
    }
}

/// <summary>A bare loop's end of an <see cref="EchoServer"/>.</summary>
internal sealed class EchoClient : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private readonly byte[] _message;

    /// <summary>Connects.</summary>
    public EchoClient(int port, int messageBytes)
    {
        _message = new byte[messageBytes];
        _socket.Connect(IPAddress.Loopback, port);
    }

    /// <summary>Sends a message and waits for it to come back.</summary>
    public void Round()
    {
        _socket.Send(_message);
        for (int received = 0; received < _message.Length;)
        {
            received += _socket.Receive(_message.AsSpan(received)) is int more and > 0
                ? more
                : throw new IOException("The echo has ended in the middle of a message.");
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _socket.Dispose();
}
