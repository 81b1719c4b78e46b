using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;
using Mono.Unix.Native;

namespace Harness.Tests.Experiments.Backends.Models;

/// <summary>What stands under a path: all that can be seen of it but its times.</summary>
/// <remarks>The content of a link is where it points; "same as" is the first path that names the same node.</remarks>
internal readonly record struct Seen(uint Mode, uint Nlink, uint Uid, uint Gid, string Content, string SameAs);

/// <summary>
/// What names and attributes should do, written for clearness and nothing else: a tree of dictionaries, one thread, no node ids.
/// </summary>
internal sealed class NameModel
{
    private const uint SetGid = (uint)FilePermissions.S_ISGID;
    private const uint SetIdsOfProgram = (uint)(FilePermissions.S_ISUID | FilePermissions.S_ISGID);

    private readonly Node _root = new() { Type = FilePermissions.S_IFDIR, Mode = 0x1ED };

    public Errno Mkdir(string path, uint mode, uint user) => Add(path, user, FilePermissions.S_IFDIR, mode, "");

    public Errno Mknod(string path, FilePermissions type, uint mode, uint user) => Add(path, user, type, mode, "");

    public Errno Symlink(string path, string target, uint user) => Add(path, user, FilePermissions.S_IFLNK, 0x1FF, target);

    public Errno Unlink(string path) => Find(path, out Node parent, out string name, out Node? node) switch
    {
        not Errnos.Ok and Errno error => error,
        _ when node is null => Errno.ENOENT,
        _ when node.IsDirectory => Errno.EISDIR,
        _ => Remove(parent, name, node),
    };

    public Errno Rmdir(string path) => Find(path, out Node parent, out string name, out Node? node) switch
    {
        not Errnos.Ok and Errno error => error,
        _ when node is null => Errno.ENOENT,
        _ when !node.IsDirectory => Errno.ENOTDIR,
        _ when node.Names.Count > 0 => Errno.ENOTEMPTY,
        _ => Remove(parent, name, node),
    };

    public Errno Link(string path, string newPath)
    {
        Errno error = Find(path, out _, out _, out Node? node);
        if (error != Errnos.Ok || node is null)
        {
            return error != Errnos.Ok ? error : Errno.ENOENT;
        }

        error = Find(newPath, out Node parent, out string name, out Node? target);
        if (error != Errnos.Ok)
        {
            return error;
        }

        if (node.IsDirectory || target is not null || !parent.IsDirectory)
        {
            return node.IsDirectory ? Errno.EPERM : target is not null ? Errno.EEXIST : Errno.ENOTDIR;
        }

        parent.Names[name] = node;
        return Errnos.Ok;
    }

    public Errno Rename(string path, string newPath, RenameFlags flags, uint user)
    {
        Errno error = Find(path, out Node from, out string name, out Node? source);
        Errno newError = Find(newPath, out Node to, out string newName, out Node? target);
        if (error != Errnos.Ok || newError != Errnos.Ok)
        {
            return error != Errnos.Ok ? error : newError;
        }

        if (source is null)
        {
            return Errno.ENOENT;
        }

        bool exchange = flags == RenameFlags.Exchange;
        if (source.Contains(to) || (exchange && target is not null && target.Contains(from)))
        {
            return Errno.EINVAL;
        }

        if (exchange)
        {
            if (target is not null)
            {
                (from.Names[name], to.Names[newName]) = (target, source);
            }

            return target is null ? Errno.ENOENT : Errnos.Ok;
        }

        error = MayReplace(source, target, flags);
        if (error == Errnos.Ok && source != target)
        {
            from.Names.Remove(name);
            to.Names[newName] = source;
            if (flags == RenameFlags.Whiteout)
            {
                Add(path, user, FilePermissions.S_IFCHR, 0, "");
            }
        }

        return error;
    }

    public Errno Write(string path, int offset, string text) => Change(path, Errnos.Ok, node =>
    {
        node.Content = node.Content.PadRight(offset, '\0');
        node.Content = node.Content[..offset] + text + node.Content[Math.Min(node.Content.Length, offset + text.Length)..];
    });

    public Errno Truncate(string path, int size) =>
        Change(path, Errnos.Ok, node => node.Content = node.Content.PadRight(size, '\0')[..size]);

    public Errno Chmod(string path, uint mode)
    {
        Errno error = Find(path, out _, out _, out Node? node);
        if (error == Errnos.Ok && node is not null)
        {
            node.Mode = mode;
        }

        return error == Errnos.Ok && node is null ? Errno.ENOENT : error;
    }

    public Errno Chown(string path, uint uid, uint gid)
    {
        Errno error = Find(path, out _, out _, out Node? node);
        if (error == Errnos.Ok && node is not null)
        {
            (node.Uid, node.Gid) = (uid, gid);
            bool groupMayExecute = (node.Mode & (uint)FilePermissions.S_IXGRP) != 0;
            node.Mode &= node.IsDirectory ? uint.MaxValue : groupMayExecute ? ~SetIdsOfProgram : ~(uint)FilePermissions.S_ISUID;
        }

        return error == Errnos.Ok && node is null ? Errno.ENOENT : error;
    }

    /// <summary>Everything that can be seen, by path.</summary>
    public SortedDictionary<string, Seen> Describe()
    {
        var first = new Dictionary<Node, string>();
        var seen = new SortedDictionary<string, Seen>(StringComparer.Ordinal);
        foreach ((string path, Node node) in _root.All("").OrderBy(one => one.Path, StringComparer.Ordinal))
        {
            first.TryAdd(node, path);
            uint nlink = node.IsDirectory
                ? 2 + (uint)node.Names.Values.Count(child => child.IsDirectory)
                : (uint)_root.All("").Count(one => one.Node == node);
            seen[path] = new Seen((uint)node.Type | node.Mode, nlink, node.Uid, node.Gid, node.Content, first[node]);
        }

        return seen;
    }

    private static Errno MayReplace(Node source, Node? target, RenameFlags flags) => target switch
    {
        null => Errnos.Ok,
        _ when flags == RenameFlags.Noreplace => Errno.EEXIST,
        _ when source == target => Errnos.Ok,
        { IsDirectory: true } when !source.IsDirectory => Errno.EISDIR,
        { IsDirectory: false } when source.IsDirectory => Errno.ENOTDIR,
        { IsDirectory: true, Names.Count: > 0 } => Errno.ENOTEMPTY,
        _ => Errnos.Ok,
    };

    private static Errno Remove(Node parent, string name, Node node)
    {
        parent.Names.Remove(name);
        return node is null ? Errno.ENOENT : Errnos.Ok;
    }

    private Errno Add(string path, uint user, FilePermissions type, uint mode, string content)
    {
        Errno error = Find(path, out Node parent, out string name, out Node? node);
        if (error != Errnos.Ok || node is not null)
        {
            return error != Errnos.Ok ? error : Errno.EEXIST;
        }

        bool passesGroup = (parent.Mode & SetGid) != 0;
        parent.Names[name] = new Node
        {
            Type = type,
            Mode = mode | (passesGroup && type == FilePermissions.S_IFDIR ? SetGid : 0),
            Uid = user,
            Gid = passesGroup ? parent.Gid : user,
            Content = content,
        };
        return Errnos.Ok;
    }

    private Errno Change(string path, Errno ok, Action<Node> change)
    {
        Errno error = Find(path, out _, out _, out Node? node);
        if (error != Errnos.Ok || node is not { Type: FilePermissions.S_IFREG })
        {
            return error != Errnos.Ok ? error : node is null ? Errno.ENOENT : node.IsDirectory ? Errno.EISDIR : Errno.EINVAL;
        }

        change(node);
        return ok;
    }

    /// <summary>Walks to the directory of the last name. ENOTDIR if it, or one on the way, is none.</summary>
    private Errno Find(string path, out Node parent, out string name, out Node? node)
    {
        string[] names = path.Split('/');
        name = names[^1];
        parent = _root;
        node = null;
        foreach (string step in names[..^1])
        {
            if (!parent.IsDirectory || !parent.Names.TryGetValue(step, out Node? next))
            {
                return parent.IsDirectory ? Errno.ENOENT : Errno.ENOTDIR;
            }

            parent = next;
        }

        if (!parent.IsDirectory)
        {
            return Errno.ENOTDIR;
        }

        node = parent.Names.GetValueOrDefault(name);
        return Errnos.Ok;
    }

    private sealed class Node
    {
        public FilePermissions Type { get; init; }

        public uint Mode { get; set; }

        public uint Uid { get; set; }

        public uint Gid { get; set; }

        public string Content { get; set; } = "";

        public Dictionary<string, Node> Names { get; } = [];

        public bool IsDirectory => Type == FilePermissions.S_IFDIR;

        public bool Contains(Node other) => IsDirectory && (this == other || Names.Values.Any(child => child.Contains(other)));

        public IEnumerable<(string Path, Node Node)> All(string path) =>
            Names.SelectMany(child => child.Value.All($"{path}/{child.Key}")).Prepend((path, this));
    }
}
