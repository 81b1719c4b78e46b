using System.Globalization;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Harness.Experiments.Commands;
using Harness.Transport;
using Harness.Transport.Mounting;

namespace Harness.Experiments.Observing;

/// <summary>A connection with the daemon of a mount.</summary>
internal sealed class ControlClient : IDisposable
{
    // A recording, or the counts of all opcodes as text: neither comes near it. The daemon is a peer, and not trusted with more.
    private const int AnswerBytesMax = 64 << 20;

    private readonly Socket _socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);

    private ControlClient(MountEntry mount) => Mount = mount;

    /// <summary>The mount.</summary>
    public MountEntry Mount { get; }

    /// <summary>Connects with the daemon that serves a mount point.</summary>
    /// <exception cref="BadArgumentsException">No FUSE file system, or not one of this program's, is mounted there.</exception>
    /// <exception cref="FuseTransportException">It is another user's.</exception>
    public static async Task<ControlClient> Connect(string mountPoint, CancellationToken cancellationToken)
    {
        string path = Path.TrimEndingDirectorySeparator(Path.GetFullPath(mountPoint));
        if (MountTable.Find(path) is not MountEntry entry || !entry.Type.StartsWith("fuse", StringComparison.Ordinal))
        {
            throw new BadArgumentsException($"No FUSE file system is mounted at {path}. Name the mount point itself, not a file or directory on it.");
        }

        SocketError error = SocketError.AddressNotAvailable;
        foreach (string socket in ControlPath.Candidates(entry.DeviceMinor))
        {
            var client = new ControlClient(entry);
            try
            {
                await client._socket.ConnectAsync(new UnixDomainSocketEndPoint(socket), cancellationToken).ConfigureAwait(false);
                return client;
            }
            catch (SocketException exception)
            {
                client.Dispose();
                error = exception.SocketErrorCode;
            }
        }

        throw error == SocketError.AccessDenied
            ? new FuseTransportException($"The mount at {path} is another user's. Run as that user, or as root.")
            : new BadArgumentsException(
                $"{path} is a FUSE mount ({entry.Source}, {entry.Type}), but no harness daemon answers for it. Only mounts made by ./harness mount, " +
                "while their daemon lives, can be asked.");
    }

    /// <summary>Counts since the mount was made.</summary>
    /// <exception cref="FuseTransportException">The daemon is gone, or answers nonsense.</exception>
    public async Task<MountStats> Stats(CancellationToken cancellationToken)
    {
        byte[] answer = await Ask(ControlSocket.Stats, cancellationToken).ConfigureAwait(false);
        try
        {
            MountStats stats = JsonSerializer.Deserialize<MountStats>(answer) ?? throw Nonsense();
            return stats.Opcodes.All(counts => counts.Latencies.Length == LatencyBuckets.Count) ? stats : throw Nonsense();
        }
        catch (JsonException)
        {
            throw Nonsense();
        }
    }

    /// <summary>Begins to record the stages of requests, from an empty recording.</summary>
    /// <exception cref="FuseTransportException">Somebody else records.</exception>
    public Task Start(CancellationToken cancellationToken) => Ask(ControlSocket.Start, cancellationToken);

    /// <summary>How many requests were recorded.</summary>
    public async Task<int> Recorded(CancellationToken cancellationToken) =>
        int.TryParse(Encoding.ASCII.GetString(await Ask(ControlSocket.Recorded, cancellationToken).ConfigureAwait(false)), out int count)
            ? count
            : throw Nonsense();

    /// <summary>Ends the recording and takes it.</summary>
    public async Task<StageRecord[]> Stop(CancellationToken cancellationToken) =>
        MemoryMarshal.Cast<byte, StageRecord>(await Ask(ControlSocket.Stop, cancellationToken).ConfigureAwait(false)).ToArray();

    /// <summary>Disconnects; a recording that was begun ends.</summary>
    public void Dispose() => _socket.Dispose();

    private async Task<byte[]> Ask(string question, CancellationToken cancellationToken)
    {
        try
        {
            await _socket.SendAsync(Encoding.ASCII.GetBytes($"{question}\n"), cancellationToken).ConfigureAwait(false);
            string head = await ReceiveLine(cancellationToken).ConfigureAwait(false);
            string[] parts = head.Split(' ', 2);
            if (parts is ["error", string text])
            {
                throw new FuseTransportException($"The daemon of {Mount.MountPoint} says: {text}.");
            }

            return parts is ["ok", string length] && int.TryParse(length, CultureInfo.InvariantCulture, out int bytes) && bytes is >= 0 and <= AnswerBytesMax
                ? await Receive(bytes, cancellationToken).ConfigureAwait(false)
                : throw Nonsense();
        }
        catch (SocketException exception)
        {
            throw new FuseTransportException($"The daemon of {Mount.MountPoint} has gone: {exception.Message}.", exception);
        }
    }

    private async Task<string> ReceiveLine(CancellationToken cancellationToken)
    {
        const int LengthMax = 256;
        var line = new StringBuilder();
        while (line.Length < LengthMax)
        {
            char next = (char)(await Receive(1, cancellationToken).ConfigureAwait(false))[0];
            if (next == '\n')
            {
                return line.ToString();
            }

            line.Append(next);
        }

        throw Nonsense();
    }

    private async Task<byte[]> Receive(int bytes, CancellationToken cancellationToken)
    {
        var buffer = new byte[bytes];
        for (int received = 0; received < bytes;)
        {
            int more = await _socket.ReceiveAsync(buffer.AsMemory(received), cancellationToken).ConfigureAwait(false);
            received += more > 0 ? more : throw new FuseTransportException($"The mount at {Mount.MountPoint} has ended.");
        }

        return buffer;
    }

    private FuseTransportException Nonsense() => new($"The daemon of {Mount.MountPoint} answers nonsense; is it of another version?");
}
