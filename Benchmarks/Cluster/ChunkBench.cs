using System.Diagnostics;
using System.Globalization;
using Harness.Cluster.Chunks;
using Harness.Cluster.Chunks.Client;
using Harness.Cluster.Chunks.Server;
using Harness.Cluster.Net;
using Harness.FuseProtocol;
using Harness.Runtime;
using Mono.Unix.Native;

namespace Harness.Benchmarks.Cluster;

/// <summary>
/// What one client gets from three chunk servers, each a process of its own, over loopback:
/// <c>Benchmarks chunks DIRECTORY [SECONDS [PART-OF-A-NAME]]</c>. Prints operations a second, and managed bytes allocated for each in the client.
/// </summary>
internal static class ChunkBench
{
    private const int Servers = 3;
    private const long ChunkBytes = 64L << 20;

    private static long Spin => long.Parse(Environment.GetEnvironmentVariable("SPIN_NANOSECONDS") ?? "100000", CultureInfo.InvariantCulture);

    public static async Task<int> Run(string[] args)
    {
        if (args[0] == "chunk-server")
        {
            return await Serve(ulong.Parse(args[1], CultureInfo.InvariantCulture), args[2]);
        }

        string directory = Directory.CreateDirectory(args[1]).FullName;
        double seconds = args.Length > 2 ? double.Parse(args[2], CultureInfo.InvariantCulture) : 3;
        var processes = new List<Process>();
        try
        {
            var members = new List<ChainMember>();
            for (ulong id = 1; id <= Servers; id++)
            {
                var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardOutput = true, RedirectStandardInput = true };
                string[] arguments = Environment.ProcessPath!.EndsWith("dotnet", StringComparison.Ordinal) ? [typeof(ChunkBench).Assembly.Location] : [];
                foreach (string argument in (string[])[.. arguments, "chunk-server", $"{id}", Path.Combine(directory, $"cs{id}")])
                {
                    start.ArgumentList.Add(argument);
                }

                Process process = Process.Start(start)!;
                processes.Add(process);
                string line = await process.StandardOutput.ReadLineAsync() ?? throw new InvalidOperationException("a chunk server has not started");
                members.Add(new ChainMember(id, NodeAddress.TryParse(line, out NodeAddress address) ? address : throw new FormatException(line)));
            }

            await Measure(new Chain(1, members), seconds, processes, args.Length > 3 ? args[3] : string.Empty);
            return 0;
        }
        finally
        {
            foreach (Process process in processes)
            {
                process.StandardInput.Close();
                await process.WaitForExitAsync();
                process.Dispose();
            }
        }
    }

    private static async Task<int> Serve(ulong id, string directory)
    {
        var options = new ChunkServerOptions { ServerId = id, Listen = new NodeAddress("127.0.0.1", 0), SpinNanoseconds = Spin };
        Result<ChunkServerHost> host = await ChunkServerHost.Start(directory, null, options);
        if (!host.IsOk)
        {
            await Console.Error.WriteLineAsync($"chunk server {id}: {host.Error}");
            return 1;
        }

        Console.WriteLine(host.Value.Address);
        while (await Console.In.ReadLineAsync() is not null)
        {
        }

        await host.Value.Stop();
        double cpuSeconds = Process.GetCurrentProcess().TotalProcessorTime.TotalSeconds;
        await Console.Error.WriteLineAsync(
            $"chunk server {id}: {Environment.WorkingSet >> 20} MiB resident, {GC.GetTotalAllocatedBytes() >> 10} KiB allocated, {cpuSeconds:F2} s of CPU");
        host.Value.Dispose();
        return 0;
    }

    private static async Task Measure(Chain chain, double seconds, List<Process> processes, string filter)
    {
        using var loop = new EventLoop("client", null, Spin);
        var network = new SocketNetwork();
        var pool = new PayloadPool(64 << 20);
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Loops.OnLoop(loop, async () =>
        {
            ulong first = 1;
            ChunkHandle[] chunks = await CreateChunks(loop, network, pool, chain, 4, first);
            Hello hello = Hello.Of(NodeRole.Client, (ulong)loop.NowNanoseconds, 1);
            var client = new ChunkClient(loop, network, new FixedChains(), hello, pool);
            Task<ChunkHandle[]> Fresh() => CreateChunks(loop, network, pool, chain, 4, first += 4);
            var bench = new Runner(loop, client, chunks, (long)(seconds * 1e9), processes, filter, Fresh);
            // Once for the just-in-time compilers of four processes, which on two CPUs would be half of what is measured.
            await bench.All(report: false);
            await bench.All(report: true);
            client.Close();
            done.SetResult();
        });
        await done.Task;
    }

    private static async Task<ChunkHandle[]> CreateChunks(EventLoop loop, SocketNetwork network, PayloadPool pool, Chain chain, int count, ulong first)
    {
        var handles = new List<ChunkHandle>();
        for (ulong id = first; id < first + (ulong)count; id++)
        {
            foreach (ChainMember member in chain.Members.Reverse())
            {
                var link = new PeerLink(loop, network, member.Address, Hello.Of(NodeRole.Metadata, 1, 1), NoRequests.Instance, pool);
                RpcPeer peer = (await link.Get())!;
                var message = new ChunkRequest { Chunk = id, Version = 1 };
                await peer.Call(ChunkKind.Create, message, default, default, 10_000_000_000);
                RpcReply reply = await peer.Call(ChunkKind.SetChain, message, new Payload(chain.ToPayload()), default, 10_000_000_000);
                if (!reply.IsOk)
                {
                    throw new InvalidOperationException($"chunk {id} on server {member.Server}: {reply.Status}");
                }

                link.Close();
            }

            handles.Add(new ChunkHandle(new ChunkId(id), chain));
        }

        return [.. handles];
    }

    private sealed class FixedChains : IChainSource
    {
        public ValueTask<bool> Refresh(ChunkHandle chunk) => new(true);
    }

    private sealed class Runner(EventLoop loop, ChunkClient client, ChunkHandle[] chunks, long nanoseconds, List<Process> processes, string filter,
        Func<Task<ChunkHandle[]>> fresh)
    {
        private readonly Random _random = new(1);
        private bool _report;

        public async Task All(bool report)
        {
            _report = report;
            ChunkHandle[] used = chunks;
            chunks = await fresh();
            await Report("1 MiB write, fresh", 1 << 20, 1, (chunk, offset, data) => client.Write(chunk, offset, data), sequential: true, once: true);
            chunks = used;
            await Report("1 MiB write, again", 1 << 20, 1, (chunk, offset, data) => client.Write(chunk, offset, data), sequential: true);
            await Report("1 MiB read", 1 << 20, 1, (chunk, offset, data) => client.Read(chunk, offset, data), sequential: true);
            foreach (int depth in (int[])[1, 4, 32])
            {
                await Report($"4K random read, depth {depth}", 4096, depth, (chunk, offset, data) => client.Read(chunk, offset, data));
                await Report($"4K random write, depth {depth}", 4096, depth, (chunk, offset, data) => client.Write(chunk, offset, data));
            }

            await Report(
                "4K random write + sync",
                4096,
                1,
                async (chunk, offset, data) => await client.Write(chunk, offset, data) is var error && error != Errnos.Ok ? error : await client.Sync(chunk));
        }

        private async Task Report(
            string name, int bytes, int depth, Func<ChunkHandle, long, Memory<byte>, ValueTask<Errno>> operation, bool sequential = false, bool once = false)
        {
            if (!name.Contains(filter, StringComparison.Ordinal))
            {
                return;
            }

            long blocks = ChunkBytes / bytes;
            long next = 0;
            long count = 0;
            long start = loop.NowNanoseconds;
            long allocated = GC.GetTotalAllocatedBytes();
            TimeSpan cpu = Cpu();
            async Task One()
            {
                Memory<byte> data = GC.AllocateArray<byte>(bytes, pinned: true);
                _random.NextBytes(data.Span);
                while (loop.NowNanoseconds - start < nanoseconds && !(once && next >= blocks * chunks.Length))
                {
                    long at = sequential ? next++ % (blocks * chunks.Length) : _random.NextInt64(blocks * chunks.Length);
                    Errno error = await operation(chunks[at / blocks], at % blocks * bytes, data);
                    if (error != Errnos.Ok)
                    {
                        throw new InvalidOperationException($"{name}: {error}");
                    }

                    count++;
                }
            }

            await Task.WhenAll([.. Enumerable.Range(0, depth).Select(_ => One())]);
            double elapsed = (loop.NowNanoseconds - start) / 1e9;
            double cpuMicros = (Cpu() - cpu).TotalMicroseconds / count;
            if (!_report)
            {
                return;
            }

            double rate = count / elapsed;
            long allocatedEach = (GC.GetTotalAllocatedBytes() - allocated) / count;
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{name,-26} {rate,10:N0} /s {rate * bytes / 1e6,8:N0} MB/s {depth / rate * 1e6,8:N1} µs  CPU {cpuMicros,6:N1} µs  {allocatedEach,5} B"));
        }

        private TimeSpan Cpu() => processes.Aggregate(Process.GetCurrentProcess().TotalProcessorTime, (sum, process) =>
        {
            process.Refresh();
            return sum + process.TotalProcessorTime;
        });
    }
}
