using System.Runtime.InteropServices;
using System.Text;
using Harness.FuseProtocol.Wire;
using Mono.Unix.Native;

namespace Harness.FuseProtocol.Tracing;

/// <summary>The names that the kernel's headers give to opcodes, notifications and flags, without their prefixes.</summary>
public static class KernelNames
{
    // Where the kernel's spelling does not follow from ours.
    private static readonly Dictionary<string, string> s_irregular = new()
    {
        [nameof(Opcode.CopyFileRange64)] = "COPY_FILE_RANGE_64",
        [nameof(SetattrValid.LockOwner)] = "LOCKOWNER",
        [nameof(IoctlFlags.Is32Bit)] = "32BIT",
    };

    /// <summary>An opcode, such as <c>COPY_FILE_RANGE_64</c>; its number if the protocol has none such.</summary>
    public static string Of(Opcode opcode) => Table<Opcode>.Exact((uint)opcode);

    /// <summary>A notification, such as <c>INVAL_INODE</c>.</summary>
    public static string Of(NotifyCode code) => Table<NotifyCode>.Exact((uint)code);

    /// <summary>An error, such as <c>ENOENT</c>, and <c>0</c> for none.</summary>
    public static string Of(Errno error) => error switch
    {
        Errnos.Ok => "0",
        // These numbers have two names each, of which the enumeration would choose either.
        Errno.EAGAIN => "EAGAIN",
        Errno.EOPNOTSUPP => "EOPNOTSUPP",
        Errno.EDEADLK => "EDEADLK",
        _ => error.ToString(),
    };

    /// <summary>Flags, joined by bars, such as <c>DIRECT_IO|KEEP_CACHE</c>; bits without a name as one number; <c>0</c> for none.</summary>
    /// <typeparam name="T">An enumeration of flags.</typeparam>
    public static string OfFlags<T>(ulong flags)
        where T : unmanaged, Enum => Join(flags, Table<T>.Entries);

    /// <summary>Flags of open(2), beginning with the access mode, such as <c>O_RDWR|O_DIRECT</c>.</summary>
    public static string OfOpenFlags(uint flags)
    {
        const uint AccessMode = 3;
        string access = (flags & AccessMode) switch { 0 => "O_RDONLY", 1 => "O_WRONLY", 2 => "O_RDWR", _ => "O_ACCMODE" };
        uint rest = flags & ~AccessMode;
        return rest == 0 ? access : $"{access}|{Join(rest, s_openFlags)}";
    }

    /// <summary>A mask of access(2), such as <c>R_OK|W_OK</c>.</summary>
    public static string OfAccess(uint mask) => mask == 0 ? "F_OK" : Join(mask, s_accessModes);

    /// <summary>Flags of setxattr(2), such as <c>XATTR_CREATE</c>.</summary>
    public static string OfXattrFlags(uint flags) => Join(flags, s_xattrFlags);

    /// <summary>Puts a name of ours into the kernel's spelling: <c>NoOpenSupport</c> into <c>NO_OPEN_SUPPORT</c>.</summary>
    internal static string Spell(string name)
    {
        if (s_irregular.TryGetValue(name, out string? irregular))
        {
            return irregular;
        }

        var text = new StringBuilder();
        foreach (char c in name)
        {
            if (char.IsUpper(c) && text.Length > 0)
            {
                text.Append('_');
            }

            text.Append(char.ToUpperInvariant(c));
        }

        return text.ToString();
    }

    private static string Join(ulong flags, (ulong Value, string Name)[] entries)
    {
        if (flags == 0)
        {
            return "0";
        }

        var names = new List<string>();
        foreach ((ulong value, string name) in entries)
        {
            if ((flags & value) == value)
            {
                names.Add(name);
                flags &= ~value;
            }
        }

        if (flags != 0)
        {
            names.Add($"0x{flags:x}");
        }

        return string.Join('|', names);
    }

    // Numbers of include/uapi/asm-generic/fcntl.h; four of them are others on ARM (arch/arm64/include/uapi/asm/fcntl.h). O_SYNC and O_TMPFILE
    // contain another flag's bit and so come before it.
    private static readonly (ulong Value, string Name)[] s_openFlags =
    [
        (0x40, "O_CREAT"), (0x80, "O_EXCL"), (0x100, "O_NOCTTY"), (0x200, "O_TRUNC"), (0x400, "O_APPEND"), (0x800, "O_NONBLOCK"),
        (0x10_1000, "O_SYNC"), (0x1000, "O_DSYNC"), (0x2000, "O_ASYNC"), (0x40_0000 | Directory, "O_TMPFILE"), (Direct, "O_DIRECT"),
        (LargeFile, "O_LARGEFILE"), (Directory, "O_DIRECTORY"), (NoFollow, "O_NOFOLLOW"), (0x4_0000, "O_NOATIME"),
        (0x8_0000, "O_CLOEXEC"), (0x20_0000, "O_PATH"), (0x20, "FMODE_EXEC"),
    ];

    private static readonly (ulong Value, string Name)[] s_accessModes = [(4, "R_OK"), (2, "W_OK"), (1, "X_OK")];

    private static readonly (ulong Value, string Name)[] s_xattrFlags = [(1, "XATTR_CREATE"), (2, "XATTR_REPLACE")];

    private static bool IsArm => RuntimeInformation.ProcessArchitecture is Architecture.Arm64 or Architecture.Arm;

    private static ulong Direct => IsArm ? 0x1_0000UL : 0x4000;

    private static ulong LargeFile => IsArm ? 0x2_0000UL : 0x8000;

    private static ulong Directory => IsArm ? 0x4000UL : 0x1_0000;

    private static ulong NoFollow => IsArm ? 0x8000UL : 0x2_0000;

    private static class Table<T>
        where T : unmanaged, Enum
    {
        public static (ulong Value, string Name)[] Entries { get; } =
        [
            .. Enum.GetValues<T>()
                .Select(value => (Value: Convert.ToUInt64(value), Name: Spell(value.ToString())))
                .Where(entry => entry.Value != 0),
        ];

        public static string Exact(uint value) => Entries.FirstOrDefault(entry => entry.Value == value).Name ?? value.ToString();
    }
}
