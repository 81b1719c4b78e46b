using Harness.FuseProtocol.Wire;

namespace Harness.FuseProtocol;

/// <summary>What is known of each opcode before its message is looked at: one table for every channel.</summary>
/// <remarks>
/// On io_uring the kernel hands over the fixed arguments apart from the rest; on the device they stand in one piece. Both are split by
/// <see cref="ArgsSize"/> (fs/fuse/dev_uring.c, <c>fuse_uring_args_to_ring</c>: the first argument is the opcode's header).
/// </remarks>
public static class OpcodeTable
{
    /// <summary>The highest opcode of <see cref="Protocol.Minor"/>.</summary>
    public const Opcode Last = Opcode.CopyFileRange64;

    private const sbyte Unknown = -1;

    private static readonly sbyte[] s_argsSize = Build();

    /// <summary>Whether the protocol has this opcode.</summary>
    public static bool IsKnown(Opcode opcode) => opcode <= Last && s_argsSize[(int)opcode] != Unknown;

    /// <summary>Whether the kernel waits for a reply to this opcode.</summary>
    public static bool TakesReply(Opcode opcode) => opcode is not (Opcode.Forget or Opcode.BatchForget or Opcode.NotifyReply);

    /// <summary>
    /// Whether a ring hands over the opcode's fixed arguments at the front of the payload, with no header of their own. So it does where
    /// the kernel fills in an empty first argument although there is one (fs/fuse/dev.c, <c>fuse_retrieve</c>; fs/fuse/dax.c).
    /// </summary>
    public static bool ArgsLeadPayload(Opcode opcode) => opcode is Opcode.NotifyReply or Opcode.Removemapping;

    /// <summary>Size of the opcode's fixed arguments, in bytes.</summary>
    /// <param name="opcode">A known opcode.</param>
    /// <param name="negotiated">What INIT agreed on: SETXATTR has grown with SETXATTR_EXT.</param>
    public static int ArgsSize(Opcode opcode, InitFlags negotiated) =>
        opcode == Opcode.Setxattr && (negotiated & InitFlags.SetxattrExt) != 0 ? 16 : s_argsSize[(int)opcode];

    private static sbyte[] Build()
    {
        var sizes = new sbyte[(int)Last + 1];
        Array.Fill(sizes, Unknown);
        void Row(int size, params ReadOnlySpan<Opcode> opcodes)
        {
            foreach (Opcode opcode in opcodes)
            {
                sizes[(int)opcode] = (sbyte)size;
            }
        }

        Row(
            0, Opcode.Lookup, Opcode.Readlink, Opcode.Symlink, Opcode.Unlink, Opcode.Rmdir, Opcode.Statfs, Opcode.Removexattr, Opcode.Destroy);
        Row(4, Opcode.Removemapping);
        Row(
            8, Opcode.Forget, Opcode.BatchForget, Opcode.Mkdir, Opcode.Rename, Opcode.Link, Opcode.Open, Opcode.Opendir, Opcode.Setxattr,
            Opcode.Getxattr, Opcode.Listxattr, Opcode.Access, Opcode.Interrupt, Opcode.Syncfs);
        // Kernels before 7.36 send 16 bytes of INIT, later ones 64; the session reads what there is.
        Row(16, Opcode.Init);
        Row(
            16, Opcode.Getattr, Opcode.Mknod, Opcode.Fsync, Opcode.Fsyncdir, Opcode.Create, Opcode.Tmpfile, Opcode.Bmap, Opcode.Rename2);
        Row(24, Opcode.Release, Opcode.Releasedir, Opcode.Flush, Opcode.Lseek, Opcode.Poll, Opcode.Statx);
        Row(32, Opcode.Ioctl, Opcode.Fallocate);
        Row(40, Opcode.Read, Opcode.Write, Opcode.Readdir, Opcode.Readdirplus, Opcode.NotifyReply, Opcode.Setupmapping);
        Row(48, Opcode.Getlk, Opcode.Setlk, Opcode.Setlkw);
        Row(56, Opcode.CopyFileRange, Opcode.CopyFileRange64);
        Row(88, Opcode.Setattr);
        return sizes;
    }
}
