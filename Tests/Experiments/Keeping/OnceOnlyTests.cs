using System.Text;
using Harness.Experiments.Fuzz;
using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;
using Mono.Unix.Native;

namespace Harness.Tests.Experiments.Keeping;

/// <summary>
/// A daemon dies at each point of each request that must not run twice, and its successor gets the request again: what the application and the
/// host see is that it ran once.
/// </summary>
public sealed class OnceOnlyTests
{
    private const uint ReadWriteExclusive = (uint)(OpenFlags.O_RDWR | OpenFlags.O_EXCL);

    public static TheoryData<string> Requests => [.. s_requests.Keys];

    /// <summary>Each request with what must be so on the host before and after it, run once.</summary>
    private static readonly Dictionary<string, Case> s_requests = new()
    {
        ["MKDIR"] = new(
            _ => { },
            (_, unique) => FuseMessage.Build(Opcode.Mkdir, unique, new MkdirIn { Mode = 0x1ED }, FuseMessage.Name("new")),
            world => Directory.Exists(world.Host("new"))),
        ["MKNOD"] = new(
            _ => { },
            (_, unique) => FuseMessage.Build(Opcode.Mknod, unique, new MknodIn { Mode = 0x11A4 }, FuseMessage.Name("new")),
            world => TypeOf(world, "new") == FilePermissions.S_IFIFO),
        ["SYMLINK"] = new(
            _ => { },
            (_, unique) => FuseMessage.Build(Opcode.Symlink, unique, [.. FuseMessage.Name("new"), .. FuseMessage.Name("target")]),
            world => new FileInfo(world.Host("new")).LinkTarget == "target"),
        ["LINK"] = new(
            world => Make(world, "old"),
            (world, unique) => FuseMessage.Build(Opcode.Link, unique, new LinkIn { Oldnodeid = world.Node }, FuseMessage.Name("new")),
            world => InoOf(world, "old") == InoOf(world, "new")),
        ["CREATE exclusively"] = new(
            _ => { },
            (_, unique) => FuseMessage.Build(
                Opcode.Create, unique, new CreateIn { Flags = ReadWriteExclusive, Mode = 0x1A4 }, FuseMessage.Name("new")),
            world => TypeOf(world, "new") == FilePermissions.S_IFREG),
        ["TMPFILE"] = new(
            _ => { },
            (_, unique) => FuseMessage.Build(Opcode.Tmpfile, unique, new CreateIn { Flags = ReadWriteExclusive, Mode = 0x180 }, FuseMessage.Name("x")),
            world => Directory.GetFileSystemEntries(world.World.Path).Length == 0),
        ["UNLINK"] = new(
            world => Make(world, "old"),
            (_, unique) => FuseMessage.Build(Opcode.Unlink, unique, FuseMessage.Name("old")),
            world => !File.Exists(world.Host("old"))),
        ["RMDIR"] = new(
            world => Directory.CreateDirectory(world.Host("old")),
            (_, unique) => FuseMessage.Build(Opcode.Rmdir, unique, FuseMessage.Name("old")),
            world => !Directory.Exists(world.Host("old"))),
        ["RENAME"] = new(
            world => Make(world, "old"),
            (_, unique) => Rename(unique, RenameFlags.None),
            world => !File.Exists(world.Host("old")) && InoOf(world, "new") == world.Ino),
        ["RENAME over another"] = new(
            world =>
            {
                Make(world, "old");
                File.WriteAllText(world.Host("new"), "replaced");
            },
            (_, unique) => Rename(unique, RenameFlags.None),
            world => !File.Exists(world.Host("old")) && InoOf(world, "new") == world.Ino),
        ["RENAME without replacing"] = new(
            world => Make(world, "old"),
            (_, unique) => Rename(unique, RenameFlags.Noreplace),
            world => !File.Exists(world.Host("old")) && InoOf(world, "new") == world.Ino),
        ["RENAME in exchange"] = new(
            world =>
            {
                Make(world, "old");
                File.WriteAllText(world.Host("new"), "other");
            },
            (_, unique) => Rename(unique, RenameFlags.Exchange),
            world => InoOf(world, "new") == world.Ino && File.ReadAllText(world.Host("old")) == "other"),
        ["SETXATTR that makes"] = new(
            world => Make(world, "old"),
            (world, unique) => FuseMessage.Build(
                Opcode.Setxattr, unique, new SetxattrIn { Size = 5, Flags = 1 }, [.. FuseMessage.Name("user.x"), .. "value"u8], world.Node),
            world => AttributeOf(world) == "value"),
        ["REMOVEXATTR"] = new(
            world =>
            {
                Make(world, "old");
                Assert.Equal(0, Syscall.setxattr(world.Host("old"), "user.x", "value"u8.ToArray()));
            },
            (world, unique) => FuseMessage.Build(Opcode.Removexattr, unique, FuseMessage.Name("user.x"), world.Node),
            world => AttributeOf(world) is null),
        ["WRITE at the end"] = new(
            world => Make(world, "old"),
            (world, unique) => FuseMessage.Build(
                Opcode.Write,
                unique,
                new WriteIn { Fh = world.Fh, Offset = 7, Size = 5, Flags = (uint)(OpenFlags.O_WRONLY | OpenFlags.O_APPEND) },
                " more"u8,
                world.Node),
            world => File.ReadAllText(world.Host("old")) == "content more"),
        ["OPEN"] = new(
            world => Make(world, "old"),
            (world, unique) => FuseMessage.Build(Opcode.Open, unique, new OpenIn { Flags = 0 }, default, world.Node),
            _ => true),
        ["OPENDIR"] = new(
            _ => { },
            (_, unique) => FuseMessage.Build(Opcode.Opendir, unique, new OpenIn { Flags = 0 }),
            _ => true),
    };

    [Theory]
    [MemberData(nameof(Requests))]
    public void WhatWasNotBegunIsCarriedOut(string name)
    {
        using var run = new Run(s_requests[name]);
        run.World.OnlyBegin(run.Request);
        run.World.HandOver();
        run.AssertRanOnce(run.World.AskAgain(run.Request));
    }

    [Theory]
    [MemberData(nameof(Requests))]
    public void WhatWasDoneButNotRecordedIsNotDoneTwice(string name)
    {
        using var run = new Run(s_requests[name]);
        run.World.Death.BeforeRecording = true;
        Assert.Equal(Errnos.Ok, run.World.Ask(run.Request).Error);
        run.World.HandOver();
        run.AssertRanOnce(run.World.AskAgain(run.Request));
    }

    [Theory]
    [MemberData(nameof(Requests))]
    public void WhatWasRecordedIsAnsweredAsItWas(string name)
    {
        using var run = new Run(s_requests[name]);
        run.World.Death.BeforeSending = true;
        KeptWorld.Answer first = run.World.Ask(run.Request);
        run.World.HandOver();
        KeptWorld.Answer second = run.World.AskAgain(run.Request);
        Assert.Equal(first.Payload, second.Payload);
        run.AssertRanOnce(second);
    }

    [Theory]
    [MemberData(nameof(Requests))]
    public void ASecondDeathOnTheWayChangesNothing(string name)
    {
        using var run = new Run(s_requests[name]);
        run.World.Death.BeforeRecording = true;
        run.World.Ask(run.Request);
        run.World.HandOver();
        run.World.Death.BeforeRecording = true;
        run.World.AskAgain(run.Request);
        run.World.HandOver();
        run.AssertRanOnce(run.World.AskAgain(run.Request));
    }

    [Theory]
    [InlineData("MKDIR")]
    [InlineData("SYMLINK")]
    [InlineData("CREATE exclusively")]
    public void WhatSomebodyElseMadeBeforeIsStillInTheWay(string name)
    {
        using var run = new Run(s_requests[name]);
        // As long as the daemon has not begun, the host may have made the name; its time of birth tells.
        run.World.Death.BeforeRecording = true;
        Make(run, "new");
        Assert.Equal(Errno.EEXIST, run.World.Ask(run.Request).Error);
        run.World.HandOver();
        Assert.Equal(Errno.EEXIST, run.World.AskAgain(run.Request).Error);
        Assert.Equal("content", File.ReadAllText(run.Host("new")));
    }

    [Fact]
    public void WhatWasNotedButNotDoneIsDone()
    {
        using var run = new Run(s_requests["UNLINK"]);
        run.World.OnlyBegin(run.Request, InoOf(run, "old"));
        run.World.HandOver();
        run.AssertRanOnce(run.World.AskAgain(run.Request));

        using var renaming = new Run(s_requests["RENAME in exchange"]);
        renaming.World.OnlyBegin(renaming.Request, renaming.Ino);
        renaming.World.HandOver();
        renaming.AssertRanOnce(renaming.World.AskAgain(renaming.Request));
    }

    [Theory]
    [InlineData("")]
    [InlineData(" mo")]
    [InlineData(" more")]
    public void AnAppendIsFinishedFromWhereItCame(string written)
    {
        using var run = new Run(s_requests["WRITE at the end"]);
        run.World.OnlyBegin(run.Request, (ulong)"content".Length + 1);
        File.AppendAllText(run.Host("old"), written);
        run.World.HandOver();
        run.AssertRanOnce(run.World.AskAgain(run.Request));
    }

    [Fact]
    public void AnAppendBehindSomebodyElsesGoesBehindIt()
    {
        using var run = new Run(s_requests["WRITE at the end"]);
        run.World.OnlyBegin(run.Request, (ulong)"content".Length + 1);
        File.AppendAllText(run.Host("old"), " host");
        run.World.HandOver();
        Assert.Equal(5U, run.World.AskAgain(run.Request).As<WriteOut>().Size);
        Assert.Equal("content host more", File.ReadAllText(run.Host("old")));
    }

    [Fact]
    public void AnErrorIsAnsweredAgainAsItWas()
    {
        using var run = new Run(s_requests["UNLINK"]);
        File.Delete(run.Host("old"));
        run.World.Death.BeforeSending = true;
        Assert.Equal(Errno.ENOENT, run.World.Ask(run.Request).Error);
        run.World.HandOver();
        Make(run, "old");
        Assert.Equal(Errno.ENOENT, run.World.AskAgain(run.Request).Error);
        Assert.True(File.Exists(run.Host("old")));
    }

    private static byte[] Rename(ulong unique, RenameFlags flags) => FuseMessage.Build(
        Opcode.Rename2, unique, new Rename2In { Newdir = 1, Flags = flags }, [.. FuseMessage.Name("old"), .. FuseMessage.Name("new")]);

    private static void Make(Run run, string name) => File.WriteAllText(run.Host(name), "content");

    private static ulong InoOf(Run run, string name) => StatOf(run, name).st_ino;

    private static FilePermissions TypeOf(Run run, string name) => StatOf(run, name).st_mode & FilePermissions.S_IFMT;

    private static Stat StatOf(Run run, string name)
    {
        Assert.Equal(0, Syscall.lstat(run.Host(name), out Stat status));
        return status;
    }

    private static string? AttributeOf(Run run) =>
        Syscall.getxattr(run.Host("old"), "user.x", out byte[] value) >= 0 ? Encoding.UTF8.GetString(value) : null;

    /// <summary>A request, and what it does.</summary>
    internal sealed record Case(Action<Run> Prepare, Func<Run, ulong, byte[]> Request, Func<Run, bool> IsDone);

    /// <summary>One request in one world.</summary>
    internal sealed class Run : IDisposable
    {
        private readonly Case _case;
        private readonly int _slotsBefore;

        public Run(Case what)
        {
            _case = what;
            what.Prepare(this);
            if (File.Exists(Host("old")))
            {
                Ino = InoOf(this, "old");
                Node = World.Lookup("old");
                Fh = World.Ask(unique => FuseMessage.Build(Opcode.Open, unique, new OpenIn { Flags = 1 }, default, Node)).As<OpenOut>().Fh;
            }

            _slotsBefore = World.SlotsFilled;
        }

        public KeptWorld World { get; } = new();

        /// <summary>Of the file "old": inode, node, and an open file.</summary>
        public ulong Ino { get; }

        public ulong Node { get; }

        public ulong Fh { get; }

        public Func<ulong, byte[]> Request => unique => _case.Request(this, unique);

        public string Host(string name) => World.Host(name);

        /// <summary>The request succeeded, was done once, and left no entry behind nor a handle that nobody knows.</summary>
        public void AssertRanOnce(KeptWorld.Answer answer)
        {
            Assert.Equal(Errnos.Ok, answer.Error);
            Assert.True(_case.IsDone(this));
            Assert.Equal(0, World.EntriesOpen);
            Assert.Equal(World.State.Slots.ToArray().Count(slot => slot.Id != 0), World.Files.NodeCount + World.Files.OpenCount);
            Assert.InRange(World.SlotsFilled, _slotsBefore, _slotsBefore + 2);
            World.Drain();
            Assert.Equal(World.SlotsFilled, World.Shelf.Count);
        }

        public void Dispose() => World.Dispose();
    }
}
