using Harness.Experiments.Backends;
using Harness.Experiments.Backends.Memory;
using Harness.Experiments.Backends.Null;
using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;
using Mono.Unix.Native;

namespace Harness.Tests.Experiments.Backends;

/// <summary>In steady state the frequent requests take nothing from the garbage-collected heap.</summary>
public sealed class AllocationTests
{
    private const int BufferBytes = 128 << 10;

    private static readonly RequestContext s_context = new(0, 0);

    private readonly byte[] _buffer = new byte[BufferBytes];
    private readonly byte[] _name = [.. "zero.3"u8];

    [Fact]
    public void TheNullFileSystemAllocatesNothing()
    {
        var fileSystem = new NullFileSystem(new BackendOptions(), TimeProvider.System);
        AssertNoAllocation(fileSystem, new NodeId(2));
    }

    [Fact]
    public void TheMemoryFileSystemAllocatesNothing()
    {
        using MemoryFileSystem fileSystem = MemoryBackend.Make(
            new MemoryOptions { CapacityBytes = MemoryBackend.CapacityBytes, Atime = AtimeUpdate.Strict }, TimeProvider.System);
        ulong file = new FileSystemClient(fileSystem).Create(FileSystemClient.Root, "zero.3").Ok().Entry.Nodeid;
        AssertNoAllocation(fileSystem, new NodeId(file));
    }

    private void AssertNoAllocation(IFileSystem fileSystem, NodeId file)
    {
        (string Name, Func<Errno> Call)[] calls =
        [
            ("write", () => Now(fileSystem.Write(s_context, file, new WriteIn { Offset = 5000, Size = BufferBytes }, _buffer)).Error),
            ("read", () => Now(fileSystem.Read(s_context, file, new ReadIn { Offset = 100, Size = BufferBytes }, _buffer)).Error),
            ("getattr", () => Now(fileSystem.Getattr(s_context, file, default)).Error),
            ("lookup", () => Now(fileSystem.Lookup(s_context, NodeId.Root, _name)).Error),
            ("open", () => Now(fileSystem.Open(s_context, file, default)).Error),
            ("release", () => Now(fileSystem.Release(s_context, file, default))),
            ("flush", () => Now(fileSystem.Flush(s_context, file, default))),
        ];
        foreach ((string name, Func<Errno> call) in calls)
        {
            Assert.Equal((name, 0L), (name, AllocatedBy(call)));
        }
    }

    // Assertions allocate, so results are only looked at.
    private static T Now<T>(ValueTask<T> task) => task.IsCompletedSuccessfully ? task.Result : throw new InvalidOperationException("It waits.");

    /// <summary>Bytes that many calls allocate, once the first calls have set up what stays.</summary>
    /// <remarks>
    /// The least of several rounds: a collection that a test beside this one causes takes the rest of this thread's allocation buffer, of up to
    /// 8 KiB, and that counts as allocated.
    /// </remarks>
    private static long AllocatedBy(Func<Errno> call)
    {
        Repeat(call, 100).Ok();
        long least = long.MaxValue;
        for (int round = 0; round < 10 && least > 0; round++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            Errno error = Repeat(call, 300);
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
            error.Ok();
        }

        return least;
    }

    private static Errno Repeat(Func<Errno> call, int times)
    {
        Errno error = Errnos.Ok;
        for (int i = 0; i < times && error == Errnos.Ok; i++)
        {
            error = call();
        }

        return error;
    }
}
