using System.Net.Sockets;
using Harness.Runtime.Native;
using Harness.Tests.Mounts;
using Mono.Unix.Native;
using static Harness.Tests.Mounts.OtherUser;
using static Harness.Tests.Mounts.Posix;

namespace Harness.Tests.Posix;

public sealed class SpecialFilesInMemory(MemoryMount mount) : SpecialFileTests<MemoryMount>(mount);

public sealed class SpecialFilesOnCluster(ClusterMount mount) : SpecialFileTests<ClusterMount>(mount);

public sealed class SpecialFilesInPassthrough(PassthroughMount mount) : SpecialFileTests<PassthroughMount>(mount);

/// <summary>Files that are more than data: pipes, sockets, programs; and the file system as a whole.</summary>
public abstract class SpecialFileTests<TMount>(TMount mount) : IClassFixture<TMount>
    where TMount : MountFixture
{
    [RealMountFact]
    public void PipeJoinsWhoeverOpensIt()
    {
        string fifo = Path.Combine(mount.NewDirectory(), "p");
        Ok(Mknod(fifo, (uint)FilePermissions.S_IFIFO | 0x1B6));
        var writer = new Thread(() => Write(fifo, "through the pipe"));
        writer.Start();
        Assert.Equal("through the pipe", File.ReadAllText(fifo));
        writer.Join();
        Assert.Equal(Errno.ENXIO, TryOpen(fifo, WriteOnly | FileFlags.NonBlock));
        Assert.Equal(0ul, Stat(fifo).Size);
    }

    [RealMountFact]
    public void SocketIsReachedByItsName()
    {
        string name = Path.Combine(mount.NewDirectory(), "s");
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(name));
        listener.Listen();
        Assert.Equal((uint)FilePermissions.S_IFSOCK, Stat(name).Mode & (uint)FilePermissions.S_IFMT);
        using var client = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        client.Connect(new UnixDomainSocketEndPoint(name));
        using Socket server = listener.Accept();
        client.Send("hello"u8);
        byte[] buffer = new byte[5];
        Assert.Equal(5, server.Receive(buffer));
        Assert.Equal("hello"u8, buffer);
        Assert.Equal(Errno.ENXIO, TryOpen(name, ReadOnly));
    }

    [RealMountFact]
    public void ProgramRunsFromTheMount()
    {
        string directory = mount.NewDirectory();
        string script = Path.Combine(directory, "run");
        Write(script, "#!/bin/sh\necho \"$1 ran\"\n", 0x1ED);
        Assert.Equal("it ran\n", Programs.Run(directory, script, "it"));
        File.Copy("/bin/true", Path.Combine(directory, "true"));
        Ok(Chmod(Path.Combine(directory, "true"), 0x1ED));
        Programs.Run(directory, Path.Combine(directory, "true"));
        Ok(Chmod(script, 0x1A4));
        Assert.Equal(Errno.EACCES, Access(script, 1));
        AsAlice(() => Assert.Equal(Errno.EACCES, Access(script, 1)));
    }

    [RealMountFact]
    public unsafe void TotalsAddUp()
    {
        FileSystemStatus status;
        Ok(Errnos(PosixNative.Statfs(mount.NewDirectory(), &status)));
        Assert.True(status.Blocks > 0 && status.Bfree <= status.Blocks && status.Bavail <= status.Bfree);
        Assert.True(status.Files > 0 && status.Ffree <= status.Files);
        Assert.Equal(255, status.Namelen);
        Assert.True(status.Bsize >= 512 && status.Frsize >= 512);
    }

    [RealMountFact]
    public void IoctlThatNobodyKnowsIsRefused()
    {
        string file = Path.Combine(mount.NewDirectory(), "f");
        Write(file);
        using OpenedFile open = Open(file, ReadWrite);
        Assert.Equal(Errno.ENOTTY, Errnos(PosixNative.Ioctl(open.Fd, 0x5401, 0)));
    }
}
