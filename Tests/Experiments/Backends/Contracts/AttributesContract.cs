using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;
using Mono.Unix.Native;

namespace Harness.Tests.Experiments.Backends.Contracts;

public abstract class AttributesContract : FileSystemContract
{
    private const uint SetUid = 0x800;
    private const uint SetGid = 0x400;
    private const uint PermissionBits = 0xFFF;

    private protected AttributesContract(Func<IFileSystem> make)
        : base(make)
    {
    }

    /// <summary>The latest time that the file system can keep; later ones become this one (ext4's and XFS's way, since Linux 5.4).</summary>
    private protected virtual long SecondsMax => long.MaxValue;

    [Fact]
    public void ANewFileBelongsToItsMaker()
    {
        MakeDirectory(Root, "directory");
        Fs.Chmod(Fs.Lookup(Root, "directory").Ok().Nodeid, 0x1FF).Ok();
        ulong directory = Fs.Lookup(Root, "directory").Ok().Nodeid;
        FileSystemClient user = Fs.As(1000, 2000);
        foreach (Attr attr in new[]
        {
            user.Create(directory, "file").Ok().Entry.Attr,
            user.Mkdir(directory, "directory").Ok().Attr,
            user.Symlink(directory, "link", "target").Ok().Attr,
            user.Mknod(directory, "pipe", FilePermissions.S_IFIFO).Ok().Attr,
            user.Tmpfile(directory).Ok().Entry.Attr,
        })
        {
            Assert.Equal((1000u, 2000u), (attr.Uid, attr.Gid));
        }
    }

    [Fact]
    public void TheUmaskIsApplied()
    {
        Assert.Equal(0x1A0u, Fs.Create(Root, "file", mode: 0x1B6, umask: 0x17).Ok().Entry.Attr.Mode & PermissionBits);
        Assert.Equal(0x1E8u, Fs.Mkdir(Root, "directory", mode: 0x1FF, umask: 0x17).Ok().Attr.Mode & PermissionBits);
        EntryOut pipe = Fs.Mknod(Root, "pipe", FilePermissions.S_IFIFO | (FilePermissions)0x1B6, umask: 0x12).Ok();
        Assert.Equal(0x1A4u, pipe.Attr.Mode & PermissionBits);
    }

    [Fact]
    public void ASetGidDirectoryPassesItsGroupOn()
    {
        ulong directory = MakeDirectory(Root, "directory");
        Fs.Chown(directory, 0, 3000).Ok();
        Fs.Chmod(directory, SetGid | 0x1FF).Ok();
        FileSystemClient user = Fs.As(1000, 2000);
        Attr file = user.Create(directory, "file").Ok().Entry.Attr;
        Attr inner = user.Mkdir(directory, "inner").Ok().Attr;
        Assert.Equal((1000u, 3000u), (file.Uid, file.Gid));
        Assert.Equal(0u, file.Mode & SetGid);
        Assert.Equal((1000u, 3000u), (inner.Uid, inner.Gid));
        Assert.Equal(SetGid, inner.Mode & SetGid);
        Assert.Equal(3000u, user.Symlink(directory, "link", "target").Ok().Attr.Gid);
    }

    [Fact]
    public void ChmodChangesAllBitsButTheType()
    {
        ulong file = MakeFile(Root, "file");
        foreach (uint mode in new[] { 0u, PermissionBits, 0x9EDu, 0x124u })
        {
            Assert.Equal((uint)FilePermissions.S_IFREG | mode, Fs.Chmod(file, (uint)FilePermissions.S_IFDIR | mode).Ok().Mode);
        }
    }

    [Fact]
    public void ChownChangesWhatItNames()
    {
        ulong file = MakeFile(Root, "file");
        Attr both = Fs.Chown(file, 5, 6).Ok();
        Assert.Equal((5u, 6u), (both.Uid, both.Gid));
        Attr owner = Fs.Setattr(file, new SetattrIn { Valid = SetattrValid.Uid, Uid = 7, Gid = 8 }).Ok();
        Assert.Equal((7u, 6u), (owner.Uid, owner.Gid));
    }

    [Theory]
    [InlineData(SetUid | SetGid | 0x1EDu, 0x1EDu)]
    [InlineData(SetUid | 0x1A4u, 0x1A4u)]
    [InlineData(SetUid | SetGid | 0x1A4u, SetGid | 0x1A4u)]
    [InlineData(0x200u | 0x1EDu, 0x200u | 0x1EDu)]
    public void ChownTruncateAndWriteClearSetIds(uint before, uint after)
    {
        ulong file = MakeFile(Root, "file", "text");
        uint Mode(Attr attr) => attr.Mode & PermissionBits;
        void Reset() => Fs.Chmod(file, before).Ok();

        Reset();
        Assert.Equal(after, Mode(Fs.Chown(file, 1, 1).Ok()));
        Reset();
        var truncate = new SetattrIn { Valid = SetattrValid.Size | SetattrValid.KillSuidgid, Size = 2 };
        Assert.Equal(after, Mode(Fs.Setattr(file, truncate).Ok()));
        Reset();
        Fs.Write(file, 0, [1, 2], writeFlags: WriteFlags.KillSuidgid).Ok();
        Assert.Equal(after, Mode(Fs.Getattr(file).Ok()));
        Reset();
        Fs.Open(file, OpenFlags.O_RDWR | OpenFlags.O_TRUNC, OpenInFlags.KillSuidgid).Ok();
        Assert.Equal(after, Mode(Fs.Getattr(file).Ok()));
        Reset();
        Assert.Equal(after, Mode(Fs.Setattr(file, default).Ok()));
    }

    [Fact]
    public void ThePrivilegedKeepSetIdsWhenTheyWrite()
    {
        ulong file = MakeFile(Root, "file", "text");
        Fs.Chmod(file, SetUid | SetGid | 0x1ED).Ok();
        Fs.Write(file, 0, "x").Ok();
        Fs.Truncate(file, 1).Ok();
        Assert.Equal(SetUid | SetGid | 0x1ED, Fs.Getattr(file).Ok().Mode & PermissionBits);
    }

    [Fact]
    public void AStrangerToTheGroupClearsSetGidEvenWithoutExecute()
    {
        ulong file = MakeFile(Root, "file");
        Fs.Chown(file, 1000, 2000).Ok();
        var truncate = new SetattrIn { Valid = SetattrValid.Size | SetattrValid.KillSuidgid };
        (FileSystemClient Caller, uint Expected)[] cases = [(Fs.As(1001, 2000), SetGid | 0x1B6), (Fs.As(1001, 2001), 0x1B6u)];
        foreach ((FileSystemClient caller, uint expected) in cases)
        {
            Action[] changes =
            [
                () => caller.Setattr(file, default).Ok(),
                () => caller.Setattr(file, truncate).Ok(),
                () => caller.Write(file, 0, [1], writeFlags: WriteFlags.KillSuidgid).Ok(),
                () => caller.Setattr(file, new SetattrIn { Valid = SetattrValid.Gid, Gid = 2000 }).Ok(),
            ];
            foreach (Action change in changes)
            {
                Fs.Chmod(file, SetGid | 0x1B6).Ok();
                change();
                Assert.Equal(expected, Fs.Getattr(file).Ok().Mode & PermissionBits);
            }
        }
    }

    [Fact]
    public void ChownOfADirectoryKeepsItsSetGid()
    {
        ulong directory = MakeDirectory(Root, "directory");
        Fs.Chmod(directory, SetGid | 0x1ED).Ok();
        Assert.Equal(SetGid | 0x1ED, Fs.Chown(directory, 1, 1).Ok().Mode & PermissionBits);
        Assert.Equal(SetGid | 0x1ED, Fs.Setattr(directory, default).Ok().Mode & PermissionBits);
    }

    [Theory]
    [InlineData(0L, 0u)]
    [InlineData(1_700_000_000L, 123_456_789u)]
    [InlineData(-315_619_200L, 999_999_999u)]
    [InlineData(17_179_869_183L, 1u)]
    public void TimesAreKeptToTheNanosecond(long seconds, uint nanoseconds)
    {
        ulong file = MakeFile(Root, "file");
        var arg = new SetattrIn
        {
            Valid = SetattrValid.Atime | SetattrValid.Mtime,
            Atime = (ulong)seconds,
            Atimensec = nanoseconds,
            Mtime = (ulong)(seconds + 1),
            Mtimensec = nanoseconds / 2,
        };
        Attr attr = Fs.Setattr(file, arg).Ok();
        Assert.Equal((Math.Min(seconds, SecondsMax), nanoseconds), ((long)attr.Atime, attr.Atimensec));
        Assert.Equal((Math.Min(seconds + 1, SecondsMax), nanoseconds / 2), ((long)attr.Mtime, attr.Mtimensec));
        Assert.Equal(attr, Fs.Getattr(file).Ok());
    }

    [Fact]
    public void TruncateKnowsWhatItCuts()
    {
        Assert.Equal(Errno.EISDIR, Fs.Truncate(MakeDirectory(Root, "directory"), 0).Error);
        Assert.Equal(Errno.EINVAL, Fs.Truncate(Fs.Mknod(Root, "pipe", FilePermissions.S_IFIFO).Ok().Nodeid, 0).Error);
        Assert.Equal(Errno.EFBIG, Fs.Truncate(MakeFile(Root, "file"), 1UL << 63).Error);
    }

    [Fact]
    public void StatxTellsWhatGetattrTells()
    {
        Attr attr = Fs.Mknod(Root, "device", FilePermissions.S_IFBLK | (FilePermissions)0x1B0, rdev: 0x12345678).Ok().Attr;
        Statx stat = Fs.Statx(attr.Ino).Ok();
        Assert.Equal(
            (attr.Ino, attr.Mode, attr.Nlink, attr.Uid, attr.Gid, attr.Size, attr.Blocks),
            (stat.Ino, stat.Mode, stat.Nlink, stat.Uid, stat.Gid, stat.Size, stat.Blocks));
        Assert.Equal(((long)attr.Mtime, attr.Mtimensec), (stat.Mtime.TvSec, stat.Mtime.TvNsec));
        Assert.Equal(((long)attr.Ctime, attr.Ctimensec), (stat.Ctime.TvSec, stat.Ctime.TvNsec));
        // The encoding of new_encode_dev(): minor 0x12378, major 0x456.
        Assert.Equal((0x456u, 0x12378u), (stat.RdevMajor, stat.RdevMinor));
    }

    [Fact]
    public void AnUnknownNodeIsESTALE()
    {
        const ulong Unknown = 1UL << 40;
        Assert.Equal(Errno.ESTALE, Fs.Getattr(Unknown).Error);
        Assert.Equal(Errno.ESTALE, Fs.Statx(Unknown).Error);
        Assert.Equal(Errno.ESTALE, Fs.Chmod(Unknown, 0).Error);
        Assert.Equal(Errno.ESTALE, Fs.Lookup(Unknown, "name").Error);
        Assert.Equal(Errno.ESTALE, Fs.Open(Unknown).Error);
        Assert.Equal(Errno.ESTALE, Fs.Getxattr(Unknown, "user.name").Error);
    }
}
