using Harness.Cluster.Wire;

namespace Harness.Cluster.Metadata;

/// <content>What a command may change, told before it does; a snapshot lives by it.</content>
internal sealed partial class MetadataState
{
    /// <summary>Adds the inodes that a command may change or remove; 0 for those that are not there.</summary>
    public void AddTouched(Command command, List<ulong> touched)
    {
        switch (command.BodyCase)
        {
            case Command.BodyOneofCase.Make:
                touched.Add(command.Make.Parent);
                break;
            case Command.BodyOneofCase.Link:
                touched.Add(command.Link.Inode);
                touched.Add(command.Link.Parent);
                break;
            case Command.BodyOneofCase.Unlink:
                AddName(touched, command.Unlink.Parent, command.Unlink.Name.Span);
                break;
            case Command.BodyOneofCase.Rename:
                AddName(touched, command.Rename.Parent, command.Rename.Name.Span);
                AddName(touched, command.Rename.NewParent, command.Rename.NewName.Span);
                break;
            case Command.BodyOneofCase.SetAttributes:
                touched.Add(command.SetAttributes.Inode);
                break;
            case Command.BodyOneofCase.SetXattr:
                touched.Add(command.SetXattr.Inode);
                break;
            case Command.BodyOneofCase.RemoveXattr:
                touched.Add(command.RemoveXattr.Inode);
                break;
            case Command.BodyOneofCase.AllocateChunks:
                touched.Add(command.AllocateChunks.Inode);
                break;
            case Command.BodyOneofCase.Wrote:
                touched.Add(command.Wrote.Inode);
                break;
            case Command.BodyOneofCase.DropChunks:
                touched.Add(command.DropChunks.Inode);
                break;
            case Command.BodyOneofCase.Hold:
                touched.Add(command.Hold.Inode);
                break;
            case Command.BodyOneofCase.Release:
                touched.AddRange(command.Release.Inodes);
                break;
            case Command.BodyOneofCase.AllocateAll:
                touched.AddRange(command.AllocateAll.Files.Select(static file => file.Inode));
                break;
            case Command.BodyOneofCase.WroteAll:
                touched.AddRange(command.WroteAll.Files.Select(static file => file.Inode));
                break;
            case Command.BodyOneofCase.CloseSession:
                touched.AddRange(_holders.Where(one => one.Value.Contains(command.CloseSession.Session)).Select(static one => one.Key));
                break;
            case Command.BodyOneofCase.ChangeReplicas:
                touched.Add(_chunks.TryGetValue(command.ChangeReplicas.Chunk, out ChunkRecord record) ? record.Inode : 0);
                break;
            default:
                // Locks, sessions, servers and terms are no inodes.
                break;
        }
    }

    private void AddName(List<ulong> touched, ulong parent, ReadOnlySpan<byte> name)
    {
        touched.Add(parent);
        ref Inode directory = ref _inodes.Find(parent);
        touched.Add(directory.Exists && directory.IsDirectory ? directory.Names.Find(name) : 0);
    }
}
