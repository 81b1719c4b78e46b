using FsCheck;
using FsCheck.Fluent;
using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;
using Mono.Unix.Native;

namespace Harness.Tests.Experiments.Backends.Models;

/// <summary>One call that concerns names or attributes, to be made on the model and on a file system.</summary>
internal abstract record NameOperation
{
    private const uint RegularMode = (uint)FilePermissions.S_IFREG;

    private static readonly string[] s_names = ["a", "b", "c"];

    /// <summary>Operations on a few paths, so that they meet often.</summary>
    public static Gen<NameOperation> Generator
    {
        get
        {
            Gen<string> name = Gen.Elements(s_names);
            Gen<string> path = Gen.OneOf(
                name, name.Two().Select(two => $"{two.Item1}/{two.Item2}"), name.Three().Select(all => $"{all.Item1}/{all.Item2}/{all.Item3}"));
            Gen<uint> mode = Gen.Choose(0, 0xFFF).Select(bits => (uint)bits);
            Gen<uint> user = Gen.Elements(0u, 1000u);
            Gen<RenameFlags> flags = Gen.Elements(
                RenameFlags.None, RenameFlags.None, RenameFlags.Noreplace, RenameFlags.Exchange, RenameFlags.Whiteout);
            Gen<FilePermissions> type = Gen.Elements(FilePermissions.S_IFREG, FilePermissions.S_IFIFO);
            Gen<int> size = Gen.Choose(0, 20);
            return Gen.Frequency(
                (4, from p in path from m in mode from u in user select (NameOperation)new MkdirOperation(p, m, u)),
                (3, from p in path from t in type from m in mode from u in user select (NameOperation)new MknodOperation(p, t, m, u)),
                (1, from p in path from t in name from u in user select (NameOperation)new SymlinkOperation(p, t, u)),
                (2, path.Select(p => (NameOperation)new UnlinkOperation(p))),
                (2, path.Select(p => (NameOperation)new RmdirOperation(p))),
                (2, from p in path from q in path select (NameOperation)new LinkOperation(p, q)),
                (6, from p in path from q in path from f in flags from u in user select (NameOperation)new RenameOperation(p, q, f, u)),
                (2, from p in path from o in size from t in name select (NameOperation)new WriteOperation(p, o, t)),
                (1, from p in path from s in size select (NameOperation)new TruncateOperation(p, s)),
                (1, from p in path from m in mode select (NameOperation)new ChmodOperation(p, m)),
                (1, from p in path from u in user from g in user select (NameOperation)new ChownOperation(p, u, g)));
        }
    }

    public abstract Errno Apply(NameModel model);

    public abstract Errno Apply(FileSystemClient fs);

    /// <summary>Walks to the directory of the last name, as the kernel does.</summary>
    private static Errno Walk(FileSystemClient fs, string path, out ulong parent, out string name)
    {
        string[] names = path.Split('/');
        (parent, name) = (FileSystemClient.Root, names[^1]);
        foreach (string step in names[..^1])
        {
            Result<EntryOut> found = fs.Lookup(parent, step);
            if (!found.IsOk)
            {
                return found.Error;
            }

            parent = found.Value.Nodeid;
        }

        return FileSystemView.IsDirectory(fs.Getattr(parent).Ok()) ? Errnos.Ok : Errno.ENOTDIR;
    }

    private static Errno At(FileSystemClient fs, string path, Func<ulong, string, Errno> call)
    {
        Errno error = Walk(fs, path, out ulong parent, out string name);
        return error == Errnos.Ok ? call(parent, name) : error;
    }

    private static Errno On(FileSystemClient fs, string path, Func<ulong, Errno> call) => At(fs, path, (parent, name) =>
    {
        Result<EntryOut> found = fs.Lookup(parent, name);
        return found.IsOk ? call(found.Value.Nodeid) : found.Error;
    });

    private sealed record MkdirOperation(string Path, uint Mode, uint User) : NameOperation
    {
        public override Errno Apply(NameModel model) => model.Mkdir(Path, Mode, User);

        public override Errno Apply(FileSystemClient fs) => At(fs, Path, (parent, name) => fs.As(User, User).Mkdir(parent, name, Mode).Error);
    }

    private sealed record MknodOperation(string Path, FilePermissions Type, uint Mode, uint User) : NameOperation
    {
        public override Errno Apply(NameModel model) => model.Mknod(Path, Type, Mode, User);

        public override Errno Apply(FileSystemClient fs) =>
            At(fs, Path, (parent, name) => fs.As(User, User).Mknod(parent, name, Type | (FilePermissions)Mode).Error);
    }

    private sealed record SymlinkOperation(string Path, string Target, uint User) : NameOperation
    {
        public override Errno Apply(NameModel model) => model.Symlink(Path, Target, User);

        public override Errno Apply(FileSystemClient fs) =>
            At(fs, Path, (parent, name) => fs.As(User, User).Symlink(parent, name, Target).Error);
    }

    private sealed record UnlinkOperation(string Path) : NameOperation
    {
        public override Errno Apply(NameModel model) => model.Unlink(Path);

        public override Errno Apply(FileSystemClient fs) => At(fs, Path, fs.Unlink);
    }

    private sealed record RmdirOperation(string Path) : NameOperation
    {
        public override Errno Apply(NameModel model) => model.Rmdir(Path);

        public override Errno Apply(FileSystemClient fs) => At(fs, Path, fs.Rmdir);
    }

    private sealed record LinkOperation(string Path, string NewPath) : NameOperation
    {
        public override Errno Apply(NameModel model) => model.Link(Path, NewPath);

        public override Errno Apply(FileSystemClient fs) =>
            On(fs, Path, node => At(fs, NewPath, (parent, name) => fs.Link(node, parent, name).Error));
    }

    private sealed record RenameOperation(string Path, string NewPath, RenameFlags Flags, uint User) : NameOperation
    {
        public override Errno Apply(NameModel model) => model.Rename(Path, NewPath, Flags, User);

        public override Errno Apply(FileSystemClient fs) => At(fs, Path, (parent, name) =>
            At(fs, NewPath, (newParent, newName) => fs.As(User, User).Rename(parent, name, newParent, newName, Flags)));
    }

    private sealed record WriteOperation(string Path, int Offset, string Text) : NameOperation
    {
        public override Errno Apply(NameModel model) => model.Write(Path, Offset, Text);

        public override Errno Apply(FileSystemClient fs) =>
            On(fs, Path, node => fs.Open(node).IsOk ? fs.Write(node, (ulong)Offset, Text).Error : fs.Open(node).Error);
    }

    private sealed record TruncateOperation(string Path, int Size) : NameOperation
    {
        public override Errno Apply(NameModel model) => model.Truncate(Path, Size);

        public override Errno Apply(FileSystemClient fs) => On(fs, Path, node => fs.Truncate(node, (ulong)Size).Error);
    }

    private sealed record ChmodOperation(string Path, uint Mode) : NameOperation
    {
        public override Errno Apply(NameModel model) => model.Chmod(Path, Mode);

        public override Errno Apply(FileSystemClient fs) => On(fs, Path, node => fs.Chmod(node, Mode | RegularMode).Error);
    }

    private sealed record ChownOperation(string Path, uint Uid, uint Gid) : NameOperation
    {
        public override Errno Apply(NameModel model) => model.Chown(Path, Uid, Gid);

        public override Errno Apply(FileSystemClient fs) => On(fs, Path, node => fs.Chown(node, Uid, Gid).Error);
    }
}
