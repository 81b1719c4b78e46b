using System.Runtime.InteropServices;
using BenchmarkDotNet.Attributes;
using Harness.Experiments.Backends;
using Harness.Experiments.Fuzz;
using Harness.Experiments.Mounting;
using Harness.Experiments.Plan;
using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;

namespace Harness.Benchmarks.FuseProtocol;

/// <summary>
/// What a request costs in this process: session, dispatcher and file system, with the system calls left out. A fake slot stands for the
/// channel's; it copies the message in, as the kernel would, so WRITE includes a copy of 4 KiB.
/// </summary>
/// <remarks>In process, since the project that BenchmarkDotNet would otherwise generate falls under this repository's build rules.</remarks>
[InProcess]
[MemoryDiagnoser]
public class RequestPathBenchmarks : IDisposable
{
    private const int DataBytes = 4096;
    private const string FileName = "zero.0";
    private const string NullBackend = Harness.Experiments.Plan.Backend.Null;
    private const string MemoryBackend = Harness.Experiments.Plan.Backend.Memory;
    private const ulong Unique = 2;

    private IFileSystem _fileSystem = null!;
    private FakeChannel _channel = null!;
    private FakeRequest _slot = null!;
    private byte[] _read = [];
    private byte[] _write = [];
    private byte[] _getattr = [];
    private byte[] _lookup = [];

    /// <summary>What serves.</summary>
    [Params(NullBackend, MemoryBackend)]
    public string Backend { get; set; } = NullBackend;

    /// <summary>How the slot is laid out: one piece, or header and payload apart.</summary>
    [Params("Device", "Ring")]
    public string Slot { get; set; } = "Device";

    /// <summary>Starts a session and makes a file of one page.</summary>
    [GlobalSetup]
    public void SetUp()
    {
        _fileSystem = BackendFactory.Create(new MountSpec { Backend = new Backend(Backend, null), MountPoint = "/" });
        _channel = new FakeChannel(new FuseSession(_fileSystem, new SessionOptions()), Enum.Parse<RequestShape>(Slot));
        InitFlags offered = SessionOptions.Default | _fileSystem.Capabilities;
        _slot = _channel.Deliver(FuseMessage.Init(Protocol.Minor, offered));
        _channel.Agreed = offered;
        ulong node = MakeFile();
        _read = FuseMessage.Build(Opcode.Read, Unique, new ReadIn { Size = DataBytes }, nodeId: node);
        _write = FuseMessage.Build(Opcode.Write, Unique, new WriteIn { Size = DataBytes }, new byte[DataBytes], node);
        _getattr = FuseMessage.Build(Opcode.Getattr, Unique, default(GetattrIn), nodeId: node);
        _lookup = FuseMessage.Build(Opcode.Lookup, Unique, FuseMessage.Name(FileName), NodeId.Root.Value);
        Write();
    }

    /// <summary>Frees the slots and the file system.</summary>
    [GlobalCleanup]
    public void Dispose()
    {
        _channel.Dispose();
        (_fileSystem as IDisposable)?.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>READ of a page.</summary>
    [Benchmark]
    public int Read() => Deliver(_read);

    /// <summary>WRITE of a page.</summary>
    [Benchmark]
    public int Write() => Deliver(_write);

    /// <summary>GETATTR of the file.</summary>
    [Benchmark]
    public int Getattr() => Deliver(_getattr);

    /// <summary>LOOKUP of its name.</summary>
    [Benchmark]
    public int Lookup() => Deliver(_lookup);

    private int Deliver(byte[] message)
    {
        _channel.TryDeliver(message, _slot);
        return _slot.Error == Errnos.Ok ? _slot.ReplyLength : throw new InvalidOperationException($"{_slot.Header.Opcode}: {_slot.Error}");
    }

    private ulong MakeFile()
    {
        const uint readWrite = 2;
        var create = new CreateIn { Flags = readWrite, Mode = 0x1A4 };
        Deliver(FuseMessage.Build(Opcode.Create, Unique, create, FuseMessage.Name(FileName), NodeId.Root.Value));
        return MemoryMarshal.Read<EntryOut>(_slot.ReplyBytes.AsSpan(OutHeader.Size)).Nodeid;
    }
}
