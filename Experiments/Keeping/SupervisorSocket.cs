using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;
using Harness.Runtime.Native;
using Harness.Transport;

namespace Harness.Experiments.Keeping;

/// <summary>
/// Where a supervisor can be asked something: a socket in the abstract namespace (unix(7)), which goes with its process, named after the mount's
/// connection. A request is one packet of text, and so is the answer. One asks at a time, the others wait.
/// </summary>
internal sealed class SupervisorSocket : IDisposable
{
    private const int TextBytesMax = 8192;

    private static readonly TimeSpan s_answerMax = TimeSpan.FromSeconds(30);

    private readonly Socket _listener;
    private Socket? _asker;

    /// <summary>Listens.</summary>
    /// <exception cref="FuseTransportException">Somebody else has the name.</exception>
    public SupervisorSocket(uint connection)
    {
        _listener = Make();
        try
        {
            _listener.Bind(Name(connection));
            _listener.Listen(1);
            _listener.Blocking = false;
        }
        catch (SocketException exception)
        {
            _listener.Dispose();
            throw new FuseTransportException($"The socket {Name(connection)} cannot be had: {exception.Message}", exception);
        }
    }

    /// <summary>The descriptor to wait for: that of who asks, or else that by which somebody comes.</summary>
    public int Number => (int)(_asker ?? _listener).Handle;

    /// <summary>Asks the supervisor of a connection.</summary>
    /// <returns>Its answer; null if there is none.</returns>
    public static string? Ask(uint connection, string request)
    {
        using Socket socket = Make();
        socket.ReceiveTimeout = (int)s_answerMax.TotalMilliseconds;
        try
        {
            socket.Connect(Name(connection));
            socket.Send(Encoding.UTF8.GetBytes(request));
            byte[] answer = new byte[TextBytesMax];
            int length = socket.Receive(answer);
            return length == 0 ? null : Encoding.UTF8.GetString(answer, 0, length);
        }
        catch (SocketException)
        {
            return null;
        }
    }

    /// <summary>What is asked, if something is: by root or this process's own user.</summary>
    public string? TakeRequest()
    {
        try
        {
            _asker ??= Accept();
            if (_asker is null)
            {
                return null;
            }

            byte[] request = new byte[TextBytesMax];
            int length = _asker.Receive(request);
            if (length > 0)
            {
                return Encoding.UTF8.GetString(request, 0, length);
            }
        }
        catch (SocketException exception) when (exception.SocketErrorCode == SocketError.WouldBlock)
        {
            return null;
        }
        catch (SocketException)
        {
            // Whoever asked has gone; so it is when nothing more comes.
        }

        _asker?.Dispose();
        _asker = null;
        return null;
    }

    /// <summary>Answers, if somebody has asked.</summary>
    public void Answer(string text)
    {
        try
        {
            _asker?.Send(Encoding.UTF8.GetBytes(text));
        }
        catch (SocketException)
        {
            // He has not waited for it.
        }

        _asker?.Dispose();
        _asker = null;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _asker?.Dispose();
        _listener.Dispose();
    }

    private static Socket Make() => new(AddressFamily.Unix, SocketType.Seqpacket, ProtocolType.Unspecified);

    private static UnixDomainSocketEndPoint Name(uint connection) => new($"\0harness-kept-{connection}");

    private Socket? Accept()
    {
        const int SolSocket = 1;
        const int SoPeercred = 17;
        Socket asker = _listener.Accept();
        asker.Blocking = false;
        // struct ucred: process, user, group.
        Span<int> credentials = stackalloc int[3];
        asker.GetRawSocketOption(SolSocket, SoPeercred, MemoryMarshal.AsBytes(credentials));
        if (credentials[1] == 0 || (uint)credentials[1] == Libc.GetEUid())
        {
            return asker;
        }

        asker.Dispose();
        return null;
    }
}
