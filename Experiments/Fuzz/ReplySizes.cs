using System.Runtime.CompilerServices;
using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;

namespace Harness.Experiments.Fuzz;

/// <summary>How long a successful reply may be, which the kernel checks (fs/fuse/dev.c, <c>fuse_copy_out_args</c>).</summary>
internal static class ReplySizes
{
    /// <summary>Least and most bytes of payload.</summary>
    /// <param name="opcode">What was asked.</param>
    /// <param name="asked">The size in the request, where it has one.</param>
    public static (int Least, int Most) Of(Opcode opcode, uint asked)
    {
        int most = (int)Math.Min(asked, int.MaxValue / 2);
        return opcode switch
        {
            Opcode.Lookup or Opcode.Symlink or Opcode.Mknod or Opcode.Mkdir or Opcode.Link => Exactly<EntryOut>(),
            Opcode.Getattr or Opcode.Setattr => Exactly<AttrOut>(),
            Opcode.Statx => Exactly<StatxOut>(),
            Opcode.Create or Opcode.Tmpfile => Exactly<CreateOut>(),
            Opcode.Open or Opcode.Opendir => Exactly<OpenOut>(),
            Opcode.Write or Opcode.CopyFileRange => Exactly<WriteOut>(),
            Opcode.CopyFileRange64 => Exactly<CopyFileRangeOut>(),
            Opcode.Statfs => Exactly<StatfsOut>(),
            Opcode.Getlk => Exactly<LkOut>(),
            Opcode.Bmap => Exactly<BmapOut>(),
            Opcode.Poll => Exactly<PollOut>(),
            Opcode.Lseek => Exactly<LseekOut>(),
            Opcode.Init => Exactly<InitOut>(),
            Opcode.Read or Opcode.Readdir or Opcode.Readdirplus => (0, most),
            Opcode.Readlink => (0, SessionOptions.PageSize - 1),
            Opcode.Getxattr or Opcode.Listxattr => asked == 0 ? Exactly<GetxattrOut>() : (0, most),
            Opcode.Ioctl => (Unsafe.SizeOf<IoctlOut>(), Unsafe.SizeOf<IoctlOut>() + Math.Max(most, SessionOptions.PageSize)),
            _ => (0, 0),
        };
    }

    private static (int Least, int Most) Exactly<T>()
        where T : unmanaged => (Unsafe.SizeOf<T>(), Unsafe.SizeOf<T>());
}
