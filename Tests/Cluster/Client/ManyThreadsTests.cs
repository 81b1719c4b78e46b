using System.Runtime.InteropServices;
using Harness.Cluster.Hosting;
using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;
using Mono.Unix.Native;

namespace Harness.Tests.Cluster.Client;

/// <summary>
/// Threads, as those of channels, that use one file through two clients at once, so that its lease goes back and forth between them all the
/// while. Real loops and sockets.
/// </summary>
public sealed class ManyThreadsTests : IDisposable
{
    private const int Block = 4096;
    private const int WritersPerClient = 2;
    private const int Rounds = 60;
    private const int Blocks = 2 * WritersPerClient;

    /// <summary>The file is grown and cut off behind the blocks of the writers.</summary>
    private const int Tail = Blocks * Block;

    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(2);

    private readonly string _directory = Directory.CreateTempSubdirectory("harness-threads-").FullName;
    private readonly long[] _done = new long[Blocks];

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task EachSeesWhatAnyoneHasWrittenBefore(bool isDirect)
    {
        Result<EmbeddedCluster> started = await EmbeddedCluster.Start(new EmbeddedClusterOptions { Directory = _directory });
        Assert.Equal(Errnos.Ok, started.Error);
        using EmbeddedCluster cluster = started.Value;
        Result<ClientHost> connected = await cluster.Connect("other");
        Assert.Equal(Errnos.Ok, connected.Error);
        using ClientHost other = connected.Value;

        // Of its own: what goes on after an await may be on a loop, which must not block.
        await Start(() => Use(cluster.FileSystem, other.FileSystem, isDirect)).WaitAsync(s_limit);
        Assert.Equal(Errnos.Ok, await other.Stop());
        Assert.Equal(Errnos.Ok, await cluster.Stop());
    }

    private void Use(IFileSystem one, IFileSystem other, bool isDirect)
    {
        var context = new RequestContext(0, 0);
        var create = new CreateIn { Flags = (uint)OpenFlags.O_RDWR, Mode = (uint)FilePermissions.S_IFREG | 0x1A4 };
        ulong file = one.Create(context, NodeId.Root, "file"u8.ToArray(), create).AsTask().Result.Value.Entry.Nodeid;
        Assert.Equal(file, other.Lookup(context, NodeId.Root, "file"u8.ToArray()).AsTask().Result.Value.Nodeid);
        var node = new NodeId(file);
        for (int block = 0; block < Blocks; block++)
        {
            Write(one, node, block, 1, isDirect);
        }

        List<Task> work = [Start(() => ReadRounds(one, node)), Start(() => ReadRounds(other, node)), Start(() => TruncateRounds(other, node))];
        for (int i = 0; i < Blocks; i++)
        {
            int block = i;
            work.Add(Start(() => WriteRounds(block % 2 == 0 ? one : other, node, block, isDirect)));
        }

        Task.WaitAll(work);
        Assert.All(Enumerable.Range(0, Blocks), block => Assert.Equal((Rounds, Rounds), (Read(one, node, block), Read(other, node, block))));
        Assert.Equal((ulong)Tail, one.Getattr(context, node, default).AsTask().Result.Value.Attr.Size);
    }

    /// <summary>Each on a thread of its own, and not of the pool: whoever waits for a request blocks it.</summary>
    private static Task Start(Action body) =>
        Task.Factory.StartNew(body, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private void WriteRounds(IFileSystem client, NodeId node, int block, bool isDirect)
    {
        for (int round = 2; round <= Rounds; round++)
        {
            Write(client, node, block, round, isDirect);
            Assert.Equal(round, Read(client, node, block));
        }
    }

    private void ReadRounds(IFileSystem client, NodeId node)
    {
        for (int round = 0; round < Rounds; round++)
        {
            int block = round % Blocks;
            long before = Volatile.Read(ref _done[block]);
            long read = Read(client, node, block);
            Assert.True(read >= before, $"block {block}: round {read} was read after round {before} had been written");
        }
    }

    private static void TruncateRounds(IFileSystem client, NodeId node)
    {
        var context = new RequestContext(0, 0);
        byte[] data = Enumerable.Repeat((byte)7, 3 * Block).ToArray();
        byte[] back = new byte[data.Length];
        for (int round = 0; round < Rounds / 4; round++)
        {
            Assert.Equal(data.Length, client.Write(context, node, new WriteIn { Offset = Tail, Size = (uint)data.Length }, data).AsTask().Result.Value);
            Cut(client, node, Tail + Block);
            Assert.Equal(Block, client.Read(context, node, new ReadIn { Offset = Tail, Size = (uint)back.Length }, back).AsTask().Result.Value);
            Assert.Equal(-1, back.AsSpan(0, Block).IndexOfAnyExcept((byte)7));
            Cut(client, node, Tail + (2 * Block));
            Assert.Equal(2 * Block, client.Read(context, node, new ReadIn { Offset = Tail, Size = (uint)back.Length }, back).AsTask().Result.Value);
            Assert.Equal(-1, back.AsSpan(Block, Block).IndexOfAnyExcept((byte)0));
            Cut(client, node, Tail);
        }
    }

    private static void Cut(IFileSystem client, NodeId node, int size)
    {
        var arg = new SetattrIn { Valid = SetattrValid.Size, Size = (ulong)size };
        Assert.Equal(Errnos.Ok, client.Setattr(new RequestContext(0, 0), node, arg).AsTask().Result.Error);
    }

    private void Write(IFileSystem client, NodeId node, int block, int round, bool isDirect)
    {
        const uint Direct = 0x4000;
        byte[] data = new byte[Block];
        MemoryMarshal.Cast<byte, int>(data.AsSpan()).Fill(round);
        var arg = new WriteIn { Offset = (ulong)(block * Block), Size = Block, Flags = isDirect ? Direct : 0 };
        Result<int> written = client.Write(new RequestContext(0, 0), node, arg, data).AsTask().Result;
        Assert.Equal((Errnos.Ok, Block), (written.Error, written.Value));
        Volatile.Write(ref _done[block], round);
    }

    /// <summary>Which round a block is of; every word of it says the same, or it was torn.</summary>
    private static int Read(IFileSystem client, NodeId node, int block)
    {
        byte[] data = new byte[Block];
        var arg = new ReadIn { Offset = (ulong)(block * Block), Size = Block };
        Result<int> read = client.Read(new RequestContext(0, 0), node, arg, data).AsTask().Result;
        Assert.Equal((Errnos.Ok, Block), (read.Error, read.Value));
        Span<int> words = MemoryMarshal.Cast<byte, int>(data.AsSpan());
        Assert.Equal(-1, words.IndexOfAnyExcept(words[0]));
        return words[0];
    }
}
