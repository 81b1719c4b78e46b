using BenchmarkDotNet.Attributes;
using Harness.Experiments.Backends;
using Harness.Experiments.Fuzz;
using Harness.Experiments.Mounting;
using Harness.Experiments.Observing;
using Harness.Experiments.Plan;
using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;

namespace Harness.Benchmarks.FuseProtocol;

/// <summary>What it costs a GETATTR, the quickest of requests, to be counted, and to be recorded stage by stage.</summary>
[InProcess]
[MemoryDiagnoser]
[MinColumn, MedianColumn]
public class MeterBenchmarks : IDisposable
{
    /// <summary>So many requests between two of the recording's clearings, which otherwise would be full.</summary>
    private const int Batch = 1 << 14;

    private readonly RequestMeters _meters = new();
    private readonly byte[] _getattr = FuseMessage.Build(Opcode.Getattr, 2, default(GetattrIn), nodeId: NodeId.Root.Value);
    private FakeChannel _channel = null!;
    private FakeRequest _slot = null!;

    /// <summary>Nothing; counting, with one request in 31 timed; recording every stage of every request.</summary>
    [Params("none", "counting", "recording")]
    public string Meter { get; set; } = "none";

    /// <summary>Starts a session.</summary>
    [GlobalSetup]
    public void SetUp()
    {
        IFileSystem files = BackendFactory.Create(new MountSpec { Backend = new Backend(Backend.Null, null), MountPoint = "/" });
        var session = new FuseSession(files, new SessionOptions(), meters: Meter == "none" ? null : _meters.AddSlot);
        _channel = new FakeChannel(session, RequestShape.Device);
        _slot = _channel.Deliver(FuseMessage.Init(Protocol.Minor, SessionOptions.Default | files.Capabilities));
    }

    /// <summary>Frees the slot.</summary>
    [GlobalCleanup]
    public void Dispose()
    {
        _channel.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>GETATTR of the root.</summary>
    [Benchmark(OperationsPerInvoke = Batch)]
    public void Getattr()
    {
        if (Meter == "recording")
        {
            _meters.StartRecording();
        }

        for (int i = 0; i < Batch; i++)
        {
            _channel.TryDeliver(_getattr, _slot);
        }
    }
}
