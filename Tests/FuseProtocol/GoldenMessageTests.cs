using Harness.Experiments.Fuzz;
using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;

namespace Harness.Tests.FuseProtocol;

public sealed class GoldenMessageTests
{
    private const string Who = " by 1000:1001 pid 1234";

    private static readonly Dictionary<string, string[]> s_calls = new()
    {
        ["Init"] = [],
        ["InitOld"] = [],
        ["Forget"] = ["Forget node=17 lookups=5"],
        ["BatchForget"] = ["Forget node=17 lookups=5", "Forget node=18 lookups=1"],
        ["Interrupt"] = [],
        ["NotifyReply"] = ["Retrieved number=5 node=17 offset=4096 data=\"cached\""],
        ["Destroy"] = [],
        ["Setupmapping"] = [],
        ["Removemapping"] = [],
        ["Statfs"] = ["Statfs 1" + Who],
        ["Syncfs"] = ["Syncfs 1" + Who],
        ["Lookup"] = ["Lookup 1 \"foo\"" + Who],
        ["LookupMissing"] = ["Lookup 1 \"missing\"" + Who],
        ["Symlink"] = ["Symlink 1 \"link\" to \"a/target\"" + Who],
        ["Mknod"] = ["Mknod 1 \"null\" { Mode=8576 Rdev=259 Umask=18 }" + Who],
        ["Mkdir"] = ["Mkdir 1 \"dir\" { Mode=16877 Umask=23 }" + Who],
        ["Unlink"] = ["Unlink 1 \"foo\"" + Who],
        ["Rmdir"] = ["Rmdir 1 \"dir\"" + Who],
        ["Rename"] = ["Rename 1 \"old\" to 18 \"new\" None" + Who],
        ["Rename2"] = ["Rename 1 \"old\" to 18 \"new\" Exchange" + Who],
        ["Link"] = ["Link 17 to 1 \"second\"" + Who],
        ["Create"] = ["Create 1 \"new\" { Flags=32834 Mode=33188 Umask=18 }" + Who],
        ["CreateExtended"] =
            ["Create 1 \"new\" { Flags=32834 Mode=33188 Umask=18 OpenFlags=KillSuidgid }" + Who + " security.selinux=system_u:obj group 2001"],
        ["Tmpfile"] = ["Tmpfile 1 { Flags=4292610 Mode=33152 Umask=63 }" + Who],
        ["Getattr"] = ["Getattr 17 { GetattrFlags=Fh Fh=33 }" + Who],
        ["Setattr"] =
        [
            "Setattr 17 { Valid=Mode, Size, Fh Fh=33 Size=12288 LockOwner=77 Atime=1 Mtime=2 Ctime=3 Atimensec=4 Mtimensec=5 Ctimensec=6 " +
            "Mode=33152 Uid=7 Gid=8 }" + Who,
        ],
        ["Readlink"] = ["Readlink 17 into 4095" + Who],
        ["Access"] = ["Access 17 4" + Who],
        ["Statx"] = ["Statx 17 { SxFlags=8192 SxMask=4095 }" + Who],
        ["Setxattr"] = ["Setxattr 17 \"user.a/b\" \"value\" { Size=5 Flags=1 }" + Who],
        ["SetxattrExtended"] = ["Setxattr 17 \"user.a/b\" \"value\" { Size=5 Flags=2 SetxattrFlags=AclKillSgid }" + Who],
        ["Getxattr"] = ["Getxattr 17 \"user.a/b\" into 64" + Who],
        ["GetxattrSize"] = ["Getxattr 17 \"user.a/b\" into 0" + Who],
        ["Listxattr"] = ["Listxattr 17 into 64" + Who],
        ["ListxattrSize"] = ["Listxattr 17 into 0" + Who],
        ["Removexattr"] = ["Removexattr 17 \"user.a/b\"" + Who],
        ["Open"] = ["Open 17 { Flags=49154 OpenFlags=KillSuidgid }" + Who],
        ["Opendir"] = ["Opendir 1 { Flags=100352 }" + Who],
        ["Read"] = ["Read 17 { Fh=33 Offset=4096 Size=16 ReadFlags=LockOwner LockOwner=77 Flags=32768 } into 16" + Who],
        ["Write"] =
            ["Write 17 { Fh=33 Offset=8192 Size=5 WriteFlags=LockOwner, KillSuidgid LockOwner=77 Flags=32770 } \"hello\"" + Who],
        ["Flush"] = ["Flush 17 { Fh=33 LockOwner=77 }" + Who],
        ["Release"] = ["Release 17 { Fh=33 Flags=32770 ReleaseFlags=Flush, FlockUnlock LockOwner=77 }" + Who],
        ["Releasedir"] = ["Releasedir 1 { Fh=33 Flags=98304 }" + Who],
        ["Fsync"] = ["Fsync 17 { Fh=33 FsyncFlags=Fdatasync }" + Who],
        ["Fsyncdir"] = ["Fsyncdir 1 { Fh=33 }" + Who],
        ["Readdir"] = ["Readdir 1 { Fh=33 Size=4096 LockOwner=77 Flags=32768 } into 4096" + Who],
        ["Readdirplus"] = ["Readdirplus 1 { Fh=33 Size=4096 LockOwner=77 Flags=32768 } into 4096" + Who],
        ["Getlk"] = ["Getlk 17 { Fh=33 Owner=77 Lk={ Start=100 End=199 Type=1 Pid=1234 } }" + Who],
        ["Setlk"] = ["Setlk 17 { Fh=33 Owner=77 Lk={ Start=100 End=199 Pid=1234 } }" + Who],
        ["Setlkw"] = ["Setlk 17 { Fh=33 Owner=77 Lk={ Start=100 End=199 Type=1 Pid=1234 } LkFlags=Flock } and wait" + Who],
        ["Bmap"] = ["Bmap 17 { Block=5 Blocksize=4096 }" + Who],
        ["Ioctl"] = ["Ioctl 17 { Fh=33 Flags=Dir Cmd=26113 Arg=28672 InSize=4 OutSize=8 } \"ping\" into 8" + Who],
        ["Poll"] = ["Poll 17 { Fh=33 Kh=44 Flags=ScheduleNotify Events=5 }" + Who],
        ["Fallocate"] = ["Fallocate 17 { Fh=33 Offset=4096 Length=8192 Mode=KeepSize, PunchHole }" + Who],
        ["Lseek"] = ["Lseek 17 { Fh=33 Offset=4096 Whence=4 }" + Who],
        ["CopyFileRange"] =
            ["CopyFileRange 17 { FhIn=33 OffIn=4096 NodeidOut=18 FhOut=34 OffOut=8192 Len=4294963200 }" + Who],
        ["CopyFileRange64"] =
            ["CopyFileRange 17 { FhIn=33 OffIn=4096 NodeidOut=18 FhOut=34 OffOut=8192 Len=5368709120 }" + Who],
    };

    public static TheoryData<string, string> All
    {
        get
        {
            var data = new TheoryData<string, string>();
            foreach (GoldenMessage message in GoldenMessages.All)
            {
                foreach (RequestShape shape in Enum.GetValues<RequestShape>())
                {
                    data.Add(message.Name, shape.ToString());
                }
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(All))]
    public void MessageIsDecodedAndAnswered(string name, string shape) => Check(name, Enum.Parse<RequestShape>(shape), null);

    [Theory]
    [MemberData(nameof(All))]
    public void MessageIsAnsweredByAFileSystemThatWaits(string name, string shape)
    {
        var gate = new TaskCompletionSource();
        Check(name, Enum.Parse<RequestShape>(shape), gate);
    }

    [Fact]
    public void EveryOpcodeHasAGoldenMessage() =>
        Assert.Equal(Enum.GetValues<Opcode>(), GoldenMessages.All.Select(message => message.Opcode).Distinct().Order());

    private static void Check(string name, RequestShape shape, TaskCompletionSource? gate)
    {
        GoldenMessage golden = GoldenMessages.All.Single(message => message.Name == name);
        bool extended = golden == GoldenMessages.SetxattrExtended;
        var files = new RecordingFileSystem
        {
            Capabilities = extended ? InitFlags.SetxattrExt : InitFlags.None,
            Before = gate is null ? null : _ => gate.Task,
        };
        using var channel = new FakeChannel(new FuseSession(files, new SessionOptions()), shape);
        if (golden.Opcode != Opcode.Init)
        {
            channel.Deliver(GoldenMessages.Init.Request);
            channel.Agreed = files.Started!.Flags;
        }

        FakeRequest request = channel.Deliver(golden.Request);
        gate?.SetResult();

        Assert.Equal(s_calls[name], files.Calls);
        Assert.Equal(golden.Reply is null ? (0, 1) : (1, 0), (request.Replies, request.Completions));
        if (golden.Reply is not null)
        {
            Assert.Equal(Convert.ToHexString(golden.Reply), Convert.ToHexString(request.ReplyBytes));
        }

        Assert.True(request.IsIntact);
    }
}
