using System.Runtime.InteropServices;
using Mono.Unix.Native;

namespace Harness.FuseProtocol.Posix;

/// <summary>
/// Access control lists in the form in which extended attributes carry them (include/uapi/linux/posix_acl_xattr.h): a version, then
/// entries sorted by tag, all little-endian.
/// </summary>
/// <remarks>
/// The kernel checks permissions by them, once POSIX_ACL was agreed, and leaves to the file system what ties them to the mode: a new list
/// changes the mode, a new mode changes the list, and a directory's default list is inherited (fs/fuse/acl.c, <c>fuse_set_acl</c>; the rules
/// are those of acl(5) and fs/posix_acl.c).
/// </remarks>
public static class PosixAcl
{
    private const uint Version = 2;
    private const int HeaderBytes = sizeof(uint);
    private const FilePermissions Permissions = FilePermissions.ACCESSPERMS;
    private const int OwnerShift = 6;
    private const int GroupShift = 3;
    private const ushort PermissionBits = 7;

    private enum Tag : ushort
    {
        UserObj = 0x01,
        User = 0x02,
        GroupObj = 0x04,
        Group = 0x08,
        Mask = 0x10,
        Other = 0x20,
    }

    /// <summary>The extended attribute that holds a node's list.</summary>
    public static ReadOnlySpan<byte> AccessName => "system.posix_acl_access"u8;

    /// <summary>The extended attribute that holds the list that what is made in a directory inherits.</summary>
    public static ReadOnlySpan<byte> DefaultName => "system.posix_acl_default"u8;

    /// <summary>Whether this is the name of one of the two attributes.</summary>
    public static bool IsName(ReadOnlySpan<byte> name) => name.SequenceEqual(AccessName) || name.SequenceEqual(DefaultName);

    /// <summary>Whether a value is a list without entries, which means that there shall be none.</summary>
    public static bool IsEmpty(ReadOnlySpan<byte> value) => value.Length <= HeaderBytes;

    /// <summary>
    /// Whether a value is a list: owner, group and others once each, a mask once if anybody is named, in the order of the tags.
    /// </summary>
    public static bool IsValid(ReadOnlySpan<byte> value)
    {
        if (value.Length % 8 != HeaderBytes || MemoryMarshal.Read<uint>(value) != Version)
        {
            return false;
        }

        Tag seen = 0;
        Tag last = 0;
        foreach (ref readonly Entry entry in Entries(value))
        {
            bool named = entry.Tag is Tag.User or Tag.Group;
            if (entry.Tag < last || (entry.Tag == last && !named) || !Enum.IsDefined(entry.Tag) || entry.Permissions > PermissionBits)
            {
                return false;
            }

            last = entry.Tag;
            seen |= entry.Tag;
        }

        const Tag Base = Tag.UserObj | Tag.GroupObj | Tag.Other;
        return (seen & Base) == Base && ((seen & (Tag.User | Tag.Group)) == 0 || (seen & Tag.Mask) != 0);
    }

    /// <summary>Whether a list says no more than a mode can, so that no attribute has to be kept for it.</summary>
    public static bool IsMode(ReadOnlySpan<byte> value) => Entries(value).Length == 3;

    /// <summary>The mode with the permissions that a list stands for: the owner's, the mask's (the group's if there is none), the others'.</summary>
    public static FilePermissions Apply(ReadOnlySpan<byte> value, FilePermissions mode)
    {
        ReadOnlySpan<Entry> entries = Entries(value);
        int bits = 0;
        foreach (ref readonly Entry entry in entries)
        {
            bits |= ShiftOf(entry.Tag, HasMask(entries)) is int shift ? entry.Permissions << shift : 0;
        }

        return (mode & ~Permissions) | (FilePermissions)bits;
    }

    /// <summary>Changes a list to say what a new mode does (chmod(2)).</summary>
    public static void SetMode(Span<byte> value, FilePermissions mode)
    {
        Span<Entry> entries = Entries(value);
        bool hasMask = HasMask(entries);
        foreach (ref Entry entry in entries)
        {
            if (ShiftOf(entry.Tag, hasMask) is int shift)
            {
                entry.Permissions = (ushort)((int)mode >> shift & PermissionBits);
            }
        }
    }

    /// <summary>
    /// Makes a directory's default list the list of something new in it: it grants no more than the mode that was asked for.
    /// </summary>
    /// <param name="value">A copy of the default list, which becomes the new node's own.</param>
    /// <param name="mode">What was asked for, without regard to the umask.</param>
    /// <returns>The mode of the new node.</returns>
    public static FilePermissions Inherit(Span<byte> value, FilePermissions mode)
    {
        SetMode(value, Apply(value, mode) & (mode | ~Permissions));
        return Apply(value, mode);
    }

    private static Span<Entry> Entries(Span<byte> value) => MemoryMarshal.Cast<byte, Entry>(value[HeaderBytes..]);

    private static ReadOnlySpan<Entry> Entries(ReadOnlySpan<byte> value) => MemoryMarshal.Cast<byte, Entry>(value[HeaderBytes..]);

    private static bool HasMask(ReadOnlySpan<Entry> entries)
    {
        foreach (ref readonly Entry entry in entries)
        {
            if (entry.Tag == Tag.Mask)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Where an entry's permissions stand in the mode; null if they do not.</summary>
    private static int? ShiftOf(Tag tag, bool hasMask) => tag switch
    {
        Tag.UserObj => OwnerShift,
        Tag.GroupObj when !hasMask => GroupShift,
        Tag.Mask => GroupShift,
        Tag.Other => 0,
        _ => null,
    };

    /// <summary>One entry (<c>struct posix_acl_xattr_entry</c>).</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Entry
    {
        public Tag Tag;
        public ushort Permissions;
        public uint Id;
    }
}
