using Harness.FuseProtocol.Wire;
using Mono.Unix.Native;

namespace Harness.Tests.Experiments.Backends.Models;

/// <summary>Walks through a file system, to see all of it or to remove it.</summary>
internal static class FileSystemView
{
    /// <summary>Everything that can be seen, by path, as <see cref="NameModel.Describe"/> tells it.</summary>
    public static SortedDictionary<string, Seen> Describe(this FileSystemClient fs)
    {
        var found = new SortedDictionary<string, Attr>(StringComparer.Ordinal);
        Collect(fs, "", fs.Getattr(FileSystemClient.Root).Ok(), found);
        var first = new Dictionary<ulong, string>();
        var seen = new SortedDictionary<string, Seen>(StringComparer.Ordinal);
        foreach ((string path, Attr attr) in found)
        {
            first.TryAdd(attr.Ino, path);
            string content = ((FilePermissions)attr.Mode & FilePermissions.S_IFMT) switch
            {
                FilePermissions.S_IFREG => fs.ReadText(attr.Ino),
                FilePermissions.S_IFLNK => fs.Readlink(attr.Ino).Ok(),
                _ => "",
            };
            seen[path] = new Seen(attr.Mode, attr.Nlink, attr.Uid, attr.Gid, content, first[attr.Ino]);
        }

        return seen;
    }

    /// <summary>Removes everything below a directory.</summary>
    public static void RemoveAll(this FileSystemClient fs, ulong directory = FileSystemClient.Root)
    {
        foreach (string name in fs.List(directory))
        {
            EntryOut entry = fs.Lookup(directory, name).Ok();
            if (IsDirectory(entry.Attr))
            {
                fs.RemoveAll(entry.Nodeid);
                fs.Rmdir(directory, name).Ok();
            }
            else
            {
                fs.Unlink(directory, name).Ok();
            }
        }
    }

    public static bool IsDirectory(Attr attr) =>
        ((FilePermissions)attr.Mode & FilePermissions.S_IFMT) == FilePermissions.S_IFDIR;

    private static void Collect(FileSystemClient fs, string path, Attr attr, SortedDictionary<string, Attr> found)
    {
        found[path] = attr;
        if (!IsDirectory(attr))
        {
            return;
        }

        foreach (string name in fs.List(attr.Ino))
        {
            Collect(fs, $"{path}/{name}", fs.Lookup(attr.Ino, name).Ok().Attr, found);
        }
    }
}
