using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Harness.FuseProtocol.Wire;
using Mono.Unix.Native;

namespace Harness.FuseProtocol;

/// <summary>Which requests must not be carried out twice when the kernel sends them again to a successor.</summary>
/// <remarks>
/// <list type="bullet">
/// <item>MKNOD, MKDIR, SYMLINK, LINK, CREATE: the second time the name is there, and the caller is told EEXIST of what he made himself.</item>
/// <item>UNLINK, RMDIR, RENAME, REMOVEXATTR: the second time it is gone; and an exchange of names would be undone.</item>
/// <item>SETXATTR, which with XATTR_CREATE fails the second time.</item>
/// <item>OPEN, OPENDIR, CREATE, TMPFILE give out handles, of which one would never be released.</item>
/// <item>WRITE to the end of a file (O_APPEND), which would write there twice.</item>
/// </list>
/// Everything else either changes nothing or sets something to a value that the request carries (WRITE at an offset, SETATTR, FALLOCATE,
/// COPY_FILE_RANGE, SETLK): a second run ends where the first did. LOOKUP and READDIRPLUS raise lookup counts twice, which only keeps a
/// node longer than need be.
/// </remarks>
public static class OnceOnly
{
    /// <summary>Longest payload of their replies, that of CREATE, in bytes.</summary>
    public static int ReplyBytesMax => Unsafe.SizeOf<CreateOut>();

    /// <summary>Whether a request that has been split is one of them.</summary>
    public static bool Includes(FuseRequest request) => request.Header.Opcode switch
    {
        Opcode.Mknod or Opcode.Mkdir or Opcode.Symlink or Opcode.Link or Opcode.Create or Opcode.Tmpfile => true,
        Opcode.Unlink or Opcode.Rmdir or Opcode.Rename or Opcode.Rename2 or Opcode.Setxattr or Opcode.Removexattr => true,
        Opcode.Open or Opcode.Opendir => true,
        Opcode.Write => IsAppend(MemoryMarshal.Read<WriteIn>(request.Args.Span)),
        _ => false,
    };

    // What comes from the page cache has its place already, whatever file was found to carry it.
    private static bool IsAppend(in WriteIn arg) =>
        ((OpenFlags)arg.Flags & OpenFlags.O_APPEND) != 0 && (arg.WriteFlags & WriteFlags.Cache) == 0;
}
