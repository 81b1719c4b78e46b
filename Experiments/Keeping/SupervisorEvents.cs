using System.Runtime.InteropServices;
using Harness.Runtime.Native;
using Microsoft.Win32.SafeHandles;

namespace Harness.Experiments.Keeping;

/// <summary>What other threads tell the supervisor's.</summary>
internal enum SupervisorEvent : byte
{
    /// <summary>SIGTERM or SIGINT: unmount; the second time, at once.</summary>
    Stop = 1,

    /// <summary>SIGHUP: replace the daemon.</summary>
    Replace = 2,

    /// <summary>The unmount that was begun is over.</summary>
    Unmounted = 3,
}

/// <summary>Signals and other events, made into something that poll(2) can wait for.</summary>
internal sealed class SupervisorEvents : IDisposable
{
    private readonly SafeFileHandle _reader;
    private readonly SafeFileHandle _writer;
    private readonly PosixSignalRegistration[] _signals;

    /// <summary>Takes over the process's signals.</summary>
    public SupervisorEvents()
    {
        (_reader, int writer) = UnixSocket.PacketPair();
        _writer = UnixSocket.TakeInherited(writer);
        _signals =
        [
            On(PosixSignal.SIGTERM, SupervisorEvent.Stop),
            On(PosixSignal.SIGINT, SupervisorEvent.Stop),
            On(PosixSignal.SIGHUP, SupervisorEvent.Replace),
        ];
    }

    /// <summary>The descriptor's number, to wait for.</summary>
    public int Number => (int)_reader.DangerousGetHandle();

    /// <summary>Tells of an event. From any thread.</summary>
    public void Raise(SupervisorEvent what) => _ = UnixSocket.TrySend(_writer, [(byte)what], []);

    /// <summary>The next event; null if there is none.</summary>
    public SupervisorEvent? Take()
    {
        Span<byte> data = stackalloc byte[1];
        return UnixSocket.Receive(_reader, data, [], wait: false).Bytes == 1 ? (SupervisorEvent)data[0] : null;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (PosixSignalRegistration signal in _signals)
        {
            signal.Dispose();
        }

        _reader.Dispose();
        _writer.Dispose();
    }

    private PosixSignalRegistration On(PosixSignal signal, SupervisorEvent what) => PosixSignalRegistration.Create(signal, context =>
    {
        context.Cancel = true;
        Raise(what);
    });
}
