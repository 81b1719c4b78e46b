namespace Harness.Experiments.Fuzz;

/// <summary>
/// One message or more for each opcode of protocol 7.45, each with a right reply. The bytes were not made by the code under test: they
/// were packed field by field after the structs of include/uapi/linux/fuse.h.
/// </summary>
internal static partial class GoldenMessages
{
    /// <summary>All of them; INIT first.</summary>
    public static IReadOnlyList<GoldenMessage> All =>
    [
        Init, InitOld, Forget, BatchForget, Interrupt, NotifyReply, Destroy, Setupmapping, Removemapping, Statfs, Syncfs, Lookup,
        LookupMissing, Symlink, Mknod, Mkdir, Unlink, Rmdir, Rename, Rename2, Link, Create, CreateExtended, Tmpfile, Getattr,
        Setattr, Readlink, Access, Statx, Setxattr, SetxattrExtended, Getxattr, GetxattrSize, Listxattr, ListxattrSize, Removexattr,
        Open, Opendir, Read, Write, Flush, Release, Releasedir, Fsync, Fsyncdir, Readdir, Readdirplus, Getlk, Setlk, Setlkw, Bmap,
        Ioctl, Poll, Fallocate, Lseek, CopyFileRange, CopyFileRange64,
    ];
}
