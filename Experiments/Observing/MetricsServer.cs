using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Harness.Cluster.Net;
using Harness.Experiments.Clusters;
using Harness.Experiments.Commands;
using Harness.Transport;

namespace Harness.Experiments.Observing;

/// <summary>Serves a process's metrics to whoever asks by HTTP: at an address, or at a Unix socket.</summary>
/// <remarks>One question and one answer for each connection; what is asked for does not matter, since there is one thing to tell.</remarks>
internal sealed class MetricsServer : IDisposable
{
    /// <summary>What <c>--metrics</c> does.</summary>
    public const string Description = "Serve metrics for Prometheus at this address, or at a Unix socket unix:PATH (default: nowhere)";

    /// <summary>How the place is written.</summary>
    public const string HelpName = "HOST:PORT|unix:PATH";

    /// <summary>The longest path of a Unix socket (unix(7), <c>sun_path</c> without its NUL).</summary>
    public const int UnixPathMax = 107;

    private const string UnixPrefix = "unix:";
    private const int RequestBytesMax = 8192;
    private const int Backlog = 16;

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(5);

    private readonly Socket _listener;
    private readonly Func<Task<MetricsText>> _render;
    private readonly string? _path;

    private MetricsServer(Socket listener, string? path, Func<Task<MetricsText>> render) => (_listener, _path, _render) = (listener, path, render);

    /// <summary>Starts to serve.</summary>
    /// <param name="where">Where; null for nowhere.</param>
    /// <param name="render">Makes the text.</param>
    /// <returns>Null if it is to be served nowhere.</returns>
    /// <exception cref="FuseTransportException">It cannot be served there.</exception>
    public static MetricsServer? Start(string? where, Func<Task<MetricsText>> render)
    {
        if (where is null)
        {
            return null;
        }

        string? path = where.StartsWith(UnixPrefix, StringComparison.Ordinal) ? where[UnixPrefix.Length..] : null;
        if (path?.Length > UnixPathMax)
        {
            throw new BadArgumentsException($"--metrics: the path of a Unix socket has at most {UnixPathMax} characters, and {path} has {path.Length}.");
        }

        EndPoint endPoint = path is null ? EndPointOf(Addresses.Resolve(Addresses.Read("--metrics", where))) : new UnixDomainSocketEndPoint(path);
        var listener = new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            if (path is not null)
            {
                // What a killed process has left; one that lives would have its directory locked, and this one would not have come so far.
                File.Delete(path);
            }

            listener.Bind(endPoint);
            listener.Listen(Backlog);
        }
        catch (Exception exception) when (exception is SocketException or IOException or UnauthorizedAccessException)
        {
            listener.Dispose();
            throw new FuseTransportException($"Metrics cannot be served at {where}: {exception.Message}. Choose another place by --metrics.", exception);
        }

        var server = new MetricsServer(listener, path, render);
        _ = server.AcceptAll();
        return server;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _listener.Dispose();
        if (_path is not null)
        {
            File.Delete(_path);
        }
    }

    private static IPEndPoint EndPointOf(NodeAddress address) =>
        new(address.Host == "localhost" ? IPAddress.Loopback : IPAddress.Parse(address.Host), address.Port);

    private async Task AcceptAll()
    {
        while (true)
        {
            try
            {
                Socket socket = await _listener.AcceptAsync().ConfigureAwait(false);
                _ = Serve(socket);
            }
            catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    private async Task Serve(Socket socket)
    {
        using Socket connection = socket;
        using var limit = new CancellationTokenSource(s_patience);
        byte[] request = new byte[RequestBytesMax];
        int length = 0;
        try
        {
            while (length < request.Length && !request.AsSpan(0, length).EndsWith("\r\n\r\n"u8))
            {
                int received = await connection.ReceiveAsync(request.AsMemory(length), limit.Token).ConfigureAwait(false);
                if (received == 0)
                {
                    return;
                }

                length += received;
            }

            byte[] body = Encoding.UTF8.GetBytes((await _render().ConfigureAwait(false)).ToString());
            string head = string.Create(
                CultureInfo.InvariantCulture,
                $"HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\nContent-Length: {body.Length}\r\nConnection: close\r\n\r\n");
            await connection.SendAsync(Encoding.ASCII.GetBytes(head), limit.Token).ConfigureAwait(false);
            await connection.SendAsync(body, limit.Token).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // Who asked has gone, or takes too long; the next one is served.
            return;
        }
    }
}
