using Harness.Tests.Mounts;
using Mono.Unix.Native;
using static Harness.Tests.Mounts.OtherUser;
using static Harness.Tests.Mounts.Posix;

namespace Harness.Tests.Posix;

public sealed class SetIdsInMemory(MemoryMount mount) : SetIdTests<MemoryMount>(mount);

public sealed class SetIdsOnCluster(ClusterMount mount) : SetIdTests<ClusterMount>(mount);

public sealed class SetIdsInWritebackMemory(WritebackMemoryMount mount) : SetIdTests<WritebackMemoryMount>(mount);

public sealed class SetIdsInPassthrough(PassthroughMount mount) : SetIdTests<PassthroughMount>(mount);

public sealed class SetIdsInWritebackPassthrough(WritebackPassthroughMount mount) : SetIdTests<WritebackPassthroughMount>(mount);

public sealed class SetIdsInKernelPassthrough(KernelPassthroughMount mount) : SetIdTests<KernelPassthroughMount>(mount);

/// <summary>Set-id and sticky bits: who may set them, and what takes them away.</summary>
public abstract class SetIdTests<TMount>(TMount mount) : IClassFixture<TMount>
    where TMount : MountFixture
{
    private const uint All = 0x1FF;
    private const uint NotExecutable = 0x1B6;

    [RealMountFact]
    public void WriteByAUserClearsBothBits()
    {
        string file = NewFile(SetUid | SetGid | All);
        AsBob(() => WriteInto(file));
        Assert.Equal(All, ModeOf(file));
        Assert.Equal("Text", Read(file));
    }

    [RealMountFact]
    public void WriteByTheOwnerClearsThemToo()
    {
        string file = NewFile(SetUid | SetGid | All);
        AsAlice(() => WriteInto(file));
        Assert.Equal(All, ModeOf(file));
    }

    [RealMountFact]
    public void WriteByRootKeepsThem()
    {
        string file = NewFile(SetUid | SetGid | All);
        WriteInto(file);
        Assert.Equal(SetUid | SetGid | All, ModeOf(file));
    }

    [RealMountFact]
    public void TruncateByAUserClearsThem()
    {
        string byPath = NewFile(SetUid | SetGid | All);
        string byFile = NewFile(SetUid | SetGid | All);
        string byOpen = NewFile(SetUid | SetGid | All);
        AsBob(() =>
        {
            Ok(Truncate(byPath, 2));
            using OpenedFile open = Open(byFile, ReadWrite);
            Ok(open.Truncate(2));
            Ok(TryOpen(byOpen, WriteOnly | Truncating));
        });
        Assert.Equal((All, All, All), (ModeOf(byPath), ModeOf(byFile), ModeOf(byOpen)));
    }

    [RealMountFact]
    public void TruncateByRootKeepsThem()
    {
        string file = NewFile(SetUid | SetGid | All);
        Ok(Truncate(file, 2));
        Ok(TryOpen(file, WriteOnly | Truncating));
        Assert.Equal(SetUid | SetGid | All, ModeOf(file));
    }

    [RealMountFact]
    public void FallocateByAUserClearsThem()
    {
        string file = NewFile(SetUid | SetGid | All);
        AsBob(() =>
        {
            using OpenedFile open = Open(file, ReadWrite);
            Ok(open.Allocate(0, 0, 10));
        });
        Assert.Equal(All, ModeOf(file));
    }

    [RealMountFact]
    public void CopyFileRangeByAUserClearsThem()
    {
        string file = NewFile(SetUid | SetGid | All);
        string source = NewFile(All);
        AsBob(() =>
        {
            using OpenedFile from = Open(source, ReadOnly);
            using OpenedFile to = Open(file, ReadWrite);
            Assert.Equal(4, Copy(from, to, 4));
        });
        Assert.Equal(All, ModeOf(file));
    }

    [RealMountFact]
    public void ChownClearsThemEvenForRoot()
    {
        string file = NewFile(SetUid | SetGid | All);
        Ok(Chown(file, Bob, BobGroup));
        Assert.Equal(All, ModeOf(file));
    }

    [RealMountFact]
    public void ChownToTheOwnGroupClearsThem()
    {
        string file = NewFile(SetUid | SetGid | All);
        AsAlice(() => Ok(Chown(file, uint.MaxValue, SharedGroup)));
        Assert.Equal(All, ModeOf(file));
    }

    [RealMountFact]
    public void ChownThatChangesNothingClearsThem()
    {
        string file = NewFile(SetUid | SetGid | All);
        Ok(Chown(file, uint.MaxValue, uint.MaxValue));
        Assert.Equal(All, ModeOf(file));
    }

    [RealMountFact]
    public void ChownOfADirectoryKeepsThem()
    {
        string directory = Path.Combine(mount.NewDirectory(), "d");
        Ok(Mkdir(directory));
        Ok(Chmod(directory, SetUid | SetGid | Sticky | All));
        Ok(Chown(directory, Bob, BobGroup));
        Assert.Equal(SetUid | SetGid | Sticky | All, ModeOf(directory));
    }

    [RealMountFact]
    public void SetGroupIdWithoutExecuteIsNoRightThatAMemberLoses()
    {
        string file = NewFile(SetGid | NotExecutable);
        As(Bob, SharedGroup, [], () => WriteInto(file));
        Assert.Equal(SetGid | NotExecutable, ModeOf(file));
    }

    [RealMountFact]
    public void SetGroupIdWithoutExecuteIsTakenByAStranger()
    {
        string file = NewFile(SetUid | SetGid | NotExecutable);
        AsBob(() => WriteInto(file));
        Assert.Equal(NotExecutable, ModeOf(file));
    }

    [RealMountFact]
    public void ChmodByAStrangerToTheGroupDropsSetGroupId()
    {
        string file = NewFile(All);
        Ok(Chown(file, Alice, BobGroup));
        AsAlice(() => Ok(Chmod(file, SetUid | SetGid | All)));
        Assert.Equal(SetUid | All, ModeOf(file));
        Ok(Chmod(file, SetUid | SetGid | All));
        Assert.Equal(SetUid | SetGid | All, ModeOf(file));
    }

    [RealMountFact]
    public void CapabilitiesOfAProgramGoWhenItIsWritten()
    {
        string file = NewFile(All);
        // VFS_CAP_REVISION_2 with CAP_NET_RAW permitted (include/uapi/linux/capability.h).
        byte[] capability = [0, 0, 0, 2, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        Ok(Setxattr(file, "security.capability", capability));
        Assert.Contains("security.capability", Listxattr(file));
        AsBob(() => WriteInto(file));
        Assert.DoesNotContain("security.capability", Listxattr(file));

        Ok(Setxattr(file, "security.capability", capability));
        Ok(Chown(file, Bob, BobGroup));
        Assert.DoesNotContain("security.capability", Listxattr(file));
    }

    [RealMountFact]
    public void StickyDirectoryProtectsTheNamesOfOthers()
    {
        string directory = Path.Combine(mount.NewDirectory(), "d");
        Ok(Mkdir(directory));
        Ok(Chmod(directory, Sticky | All));
        string file = Path.Combine(directory, "file");
        string folder = Path.Combine(directory, "folder");
        AsAlice(() =>
        {
            Write(file, mode: 0x1B6);
            Ok(Mkdir(folder, 0x1FF));
        });
        AsBob(() =>
        {
            string own = Path.Combine(directory, "own");
            Write(own);
            Assert.Equal(Errno.EPERM, Unlink(file));
            Assert.Equal(Errno.EPERM, Rmdir(folder));
            Assert.Equal(Errno.EPERM, Rename(file, Path.Combine(directory, "other")));
            Assert.Equal(Errno.EPERM, Rename(own, file));
            Ok(Rename(own, Path.Combine(directory, "mine")));
            Ok(Unlink(Path.Combine(directory, "mine")));
        });
        AsAlice(() => Ok(Unlink(file)));

        // Whoever owns the directory may clear it up.
        Ok(Chown(directory, Bob, BobGroup));
        AsBob(() => Ok(Rmdir(folder)));
    }

    private string NewFile(uint mode)
    {
        string file = Path.Combine(mount.NewDirectory(), "f");
        Write(file, "text");
        Ok(Chown(file, Alice, SharedGroup));
        Ok(Chmod(file, mode));
        Assert.Equal(mode, ModeOf(file));
        return file;
    }

    private static void WriteInto(string file)
    {
        using OpenedFile open = Open(file, WriteOnly);
        open.Write("T"u8, 0);
    }

    private static unsafe nint Copy(OpenedFile from, OpenedFile to, nuint length) =>
        PosixNative.CopyFileRange(from.Fd, null, to.Fd, null, length, 0);
}
