using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Harness.Runtime;
using Harness.Transport;
using Mono.Unix.Native;

namespace Harness.Experiments.Observing;

/// <summary>The daemon's side of a mount's control socket: answers what <see cref="ControlClient"/> asks. Costs nothing while nobody does.</summary>
/// <remarks>
/// A question is a line of one word; the answer is a line, <c>ok LENGTH</c> or <c>error TEXT</c>, and so many bytes. A recording ends with the
/// connection that began it, so that a client that was killed leaves no request slower than it was.
/// </remarks>
internal sealed class ControlSocket : IDisposable
{
    /// <summary>Counts since the mount, as JSON.</summary>
    public const string Stats = "stats";

    /// <summary>Begins to record the stages of requests.</summary>
    public const string Start = "start";

    /// <summary>How many requests were recorded so far.</summary>
    public const string Recorded = "recorded";

    /// <summary>Ends the recording and hands it over.</summary>
    public const string Stop = "stop";

    private const int ClientsMax = 16;
    private const int QuestionBytesMax = 64;

    private readonly RequestMeters _meters;
    private readonly string _description;
    private readonly string _path;
    private readonly Socket _listener;
    private readonly CancellationTokenSource _ended = new();
    private readonly SemaphoreSlim _clients = new(ClientsMax);
    private readonly long _since = MonotonicClock.NowNanoseconds;
    private Socket? _recorder;

    private ControlSocket(RequestMeters meters, string description, string path)
    {
        _meters = meters;
        _description = description;
        _path = path;
        _listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    }

    /// <summary>Opens the socket of a mount.</summary>
    /// <param name="connection">The number of its FUSE connection.</param>
    /// <param name="meters">What it can be asked for.</param>
    /// <param name="description">The mount in a line.</param>
    /// <exception cref="FuseTransportException">There is no place for it.</exception>
    public static ControlSocket Open(uint connection, RequestMeters meters, string description)
    {
        var socket = new ControlSocket(meters, description, ControlPath.Prepare(connection));
        try
        {
            // A socket of this name is a dead daemon's: no two mounts have one connection.
            File.Delete(socket._path);
            socket._listener.Bind(new UnixDomainSocketEndPoint(socket._path));
            // To connect is to write (unix(7)).
            _ = Syscall.chmod(socket._path, FilePermissions.S_IRUSR | FilePermissions.S_IWUSR);
            socket._listener.Listen();
        }
        catch (Exception exception) when (exception is SocketException or IOException or UnauthorizedAccessException)
        {
            socket.Dispose();
            throw new FuseTransportException($"{socket._path} could not be opened: {exception.Message}", exception);
        }

        _ = socket.Accept();
        return socket;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _ended.Cancel();
        _listener.Dispose();
        File.Delete(_path);
    }

    private async Task Accept()
    {
        try
        {
            while (true)
            {
                await _clients.WaitAsync(_ended.Token).ConfigureAwait(false);
                _ = Serve(await _listener.AcceptAsync(_ended.Token).ConfigureAwait(false));
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The mount has ended, and with it the socket.
            _recorder = null;
        }
    }

    private async Task Serve(Socket client)
    {
        using (client)
        {
            try
            {
                var buffer = new byte[QuestionBytesMax];
                int length = 0;
                while (length < buffer.Length)
                {
                    int received = await client.ReceiveAsync(buffer.AsMemory(length), _ended.Token).ConfigureAwait(false);
                    length += received;
                    int end = buffer.AsSpan(0, length).IndexOf((byte)'\n');
                    if (received == 0)
                    {
                        break;
                    }

                    if (end >= 0)
                    {
                        await Answer(client, Encoding.ASCII.GetString(buffer, 0, end)).ConfigureAwait(false);
                        length = 0;
                    }
                }
            }
            catch (Exception exception) when (exception is OperationCanceledException or SocketException)
            {
                // Whoever asked is gone, or the mount is.
                client.Close();
            }
            finally
            {
                Release(client);
                _clients.Release();
            }
        }
    }

    private async Task Answer(Socket client, string question)
    {
        (string? error, byte[] body) = question switch
        {
            Stats => (null, JsonSerializer.SerializeToUtf8Bytes(Count())),
            Start => (Claim(client), []),
            Recorded => (null, Encoding.ASCII.GetBytes($"{_meters.Recording?.Count ?? 0}")),
            Stop when _recorder == client => (null, MemoryMarshal.AsBytes(_meters.StopRecording().AsSpan()).ToArray()),
            Stop => ("no recording was begun", []),
            _ => ("unknown question", Array.Empty<byte>()),
        };
        byte[] head = Encoding.ASCII.GetBytes(error is null ? $"ok {body.Length}\n" : $"error {error}\n");
        foreach (byte[] part in (byte[][])[head, body])
        {
            for (int sent = 0; sent < part.Length;)
            {
                sent += await client.SendAsync(part.AsMemory(sent), _ended.Token).ConfigureAwait(false);
            }
        }
    }

    private MountStats Count() => new()
    {
        Description = _description,
        Pid = Environment.ProcessId,
        AtNanos = MonotonicClock.NowNanoseconds,
        SinceNanos = _since,
        Process = ProcessUse.Read(),
        Opcodes = _meters.Count(),
    };

    private string? Claim(Socket client)
    {
        if (Interlocked.CompareExchange(ref _recorder, client, null) is Socket other && other != client)
        {
            return "another explain is attached to this mount";
        }

        _meters.StartRecording();
        return null;
    }

    private void Release(Socket client)
    {
        if (_recorder == client)
        {
            _ = _meters.StopRecording();
            _recorder = null;
        }
    }
}
