using Harness.Experiments.Backends;
using Harness.Experiments.Backends.Memory;
using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;
using Mono.Unix.Native;

namespace Harness.Tests.Experiments.Backends;

/// <summary>What is the memory file system's own: how it meets the kernel.</summary>
public sealed class MemoryFileSystemTests
{
    private const ulong Root = FileSystemClient.Root;

    private static readonly MemoryOptions s_small = new() { CapacityBytes = MemoryBackend.CapacityBytes };

    [Fact]
    public void ANodeIsFoundByItsIdAloneForNfs()
    {
        using MemoryFileSystem fileSystem = MemoryBackend.Make(s_small, TimeProvider.System);
        var fs = new FileSystemClient(fileSystem);
        ulong directory = fs.Mkdir(Root, "directory").Ok().Nodeid;
        ulong file = fs.Create(directory, "file").Ok().Entry.Nodeid;
        fs.ForgetAll();
        Assert.Equal(file, fs.Lookup(file, ".").Ok().Nodeid);
        Assert.Equal(directory, fs.Lookup(directory, ".").Ok().Nodeid);
        Assert.Equal(Root, fs.Lookup(directory, "..").Ok().Nodeid);
        Assert.Equal(Root, fs.Lookup(Root, "..").Ok().Nodeid);
        Assert.Equal(Errno.ENOTDIR, fs.Lookup(file, "..").Error);
        fs.Unlink(directory, "file").Ok();
        fs.Forget(file, 1);
        Assert.Equal(Errno.ESTALE, fs.Lookup(file, ".").Error);
    }

    [Fact]
    public void RepliesCarryTheTimeoutsAndFlagsOfTheOptions()
    {
        var backend = new BackendOptions
        {
            EntryTimeout = TimeSpan.FromMilliseconds(1500),
            AttributeTimeout = TimeSpan.FromMicroseconds(250),
            NegativeTimeout = TimeSpan.FromSeconds(3),
            OpenFlags = FopenFlags.DirectIo | FopenFlags.KeepCache | FopenFlags.CacheDir,
            Uid = 7,
            Gid = 8,
        };
        using MemoryFileSystem fileSystem = MemoryBackend.Make(s_small with { Backend = backend }, TimeProvider.System);
        var fs = new FileSystemClient(fileSystem);
        CreateOut created = fs.Create(Root, "file").Ok();
        Assert.Equal((1ul, 500_000_000u), (created.Entry.EntryValid, created.Entry.EntryValidNsec));
        Assert.Equal((0ul, 250_000u), (created.Entry.AttrValid, created.Entry.AttrValidNsec));
        Assert.Equal(backend.OpenFlags, created.Open.OpenFlags);
        Assert.Equal(backend.OpenFlags, fs.Open(created.Entry.Nodeid).Ok().OpenFlags);
        Assert.Equal((0ul, 3ul), (fs.Lookup(Root, "missing").Ok().Nodeid, fs.Lookup(Root, "missing").Ok().EntryValid));
        Assert.Equal((7u, 8u), (fs.Getattr(Root).Ok().Uid, fs.Getattr(Root).Ok().Gid));
        OpenOut directory = fileSystem.Opendir(new RequestContext(0, 0), NodeId.Root, default).Now().Ok();
        Assert.Equal(FopenFlags.KeepCache | FopenFlags.CacheDir, directory.OpenFlags);
    }

    [Fact]
    public void ANegativeTimeoutIsRefused() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new BackendOptions { EntryTimeout = TimeSpan.FromSeconds(-1) });

    [Fact]
    public void WithoutFlushLocksAreTheKernels()
    {
        using MemoryFileSystem with = MemoryBackend.Make(s_small, TimeProvider.System);
        Assert.True(with.Capabilities.HasFlag(InitFlags.PosixLocks | InitFlags.FlockLocks));
        var backend = new BackendOptions { OpenFlags = FopenFlags.Noflush };
        using MemoryFileSystem without = MemoryBackend.Make(s_small with { Backend = backend }, TimeProvider.System);
        Assert.False(without.Capabilities.HasFlag(InitFlags.PosixLocks));
    }

    [Fact]
    public void AnUnknownListingIsEBADF()
    {
        using MemoryFileSystem fileSystem = MemoryBackend.Make(s_small, TimeProvider.System);
        var fs = new FileSystemClient(fileSystem);
        ulong fh = fs.Opendir(Root).Ok();
        fs.Releasedir(Root, fh);
        Assert.Equal(Errno.EBADF, fs.Readdir(Root, fh, 0).Error);
    }

    [Fact]
    public void ASecurityContextIsThereFromTheStart()
    {
        using MemoryFileSystem fileSystem = MemoryBackend.Make(s_small, TimeProvider.System);
        // struct fuse_ext_header {size 56, type 1}, fuse_secctx {size 6}, the name, the value, padding.
        byte[] name = [.. "security.selinux"u8, 0];
        byte[] extension = [56, 0, 0, 0, 1, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0, .. name, .. "label\0"u8];
        var request = new PendingRequest(new InHeader { Uid = 1, Gid = 1 }, [.. extension, .. new byte[56 - extension.Length]]);
        byte[] file = [.. "file"u8];
        EntryOut made = fileSystem.Mknod(
            new RequestContext(request), NodeId.Root, file, new MknodIn { Mode = (uint)FilePermissions.S_IFREG }).Now().Ok();
        Assert.Equal("label\0"u8, new FileSystemClient(fileSystem).Getxattr(made.Nodeid, "security.selinux").Ok());
    }

    [Fact]
    public async Task AnInterruptEndsTheWaitForALock()
    {
        using MemoryFileSystem fileSystem = MemoryBackend.Make(s_small, TimeProvider.System);
        var fs = new FileSystemClient(fileSystem);
        ulong file = fs.Create(Root, "file").Ok().Entry.Nodeid;
        fs.LockNow(file, 1, LockType.F_WRLCK, 0, 9).Ok();
        var wanted = new LkIn { Owner = 2, Lk = new FileLock { Start = 0, End = 9, Type = (uint)LockType.F_WRLCK } };
        var request = new PendingRequest(new InHeader { Unique = 77 }, []);
        Task<Errno> waiting = fileSystem.Setlk(new RequestContext(request), new NodeId(file), wanted, wait: true).AsTask();
        Assert.False(waiting.IsCompleted);
        Assert.True(request.TryInterrupt(77));
        Assert.Equal(Errno.EINTR, await waiting);
        fs.Flush(file, owner: 1).Ok();
        Assert.Equal((uint)LockType.F_UNLCK, fs.Getlk(file, 3, LockType.F_WRLCK, 0, 9).Ok().Type);
    }

    [Fact]
    public async Task UnmountingEndsTheWaitForALock()
    {
        using MemoryFileSystem fileSystem = MemoryBackend.Make(s_small, TimeProvider.System);
        var fs = new FileSystemClient(fileSystem);
        ulong file = fs.Create(Root, "file").Ok().Entry.Nodeid;
        fs.LockNow(file, 1, LockType.F_WRLCK, 0, 9).Ok();
        Task<Errno> waiting = fs.Lock(file, 2, LockType.F_WRLCK, 0, 9, wait: true).AsTask();
        fileSystem.Stop();
        Assert.Equal(Errno.EINTR, await waiting);
    }

    /// <summary>A request that has come and is not answered.</summary>
    private sealed class PendingRequest : FuseRequest
    {
        public PendingRequest(InHeader header, byte[] extensions)
        {
            Begin(in header);
            Extensions = extensions;
        }

        protected internal override bool TrySplit(int argsSize) => true;

        protected override void Send(Errno error, int length)
        {
        }

        protected override void Recycle()
        {
        }
    }
}
