using System.Runtime.InteropServices;
using Harness.FuseProtocol.Wire;

namespace Harness.FuseProtocol.Tracing;

/// <summary>Names the arguments of requests on open files.</summary>
internal static class FileRequestDescriber
{
    private static readonly string[] s_whence = ["SEEK_SET", "SEEK_CUR", "SEEK_END", "SEEK_DATA", "SEEK_HOLE"];
    private static readonly string[] s_lockTypes = ["F_RDLCK", "F_WRLCK", "F_UNLCK"];

    /// <summary>Adds the arguments of a request that has been split.</summary>
    public static void Describe(FuseRequest request, FieldList fields)
    {
        switch (request.Header.Opcode)
        {
            case Opcode.Open or Opcode.Opendir:
                OpenIn open = Args<OpenIn>(request);
                fields.AddOpenFlags(open.Flags);
                fields.AddFlags("open_flags", open.OpenFlags);
                break;
            case Opcode.Read or Opcode.Readdir or Opcode.Readdirplus:
                ReadIn read = Args<ReadIn>(request);
                AddRange(fields, read.Fh, read.Offset, read.Size);
                fields.AddFlags("read_flags", read.ReadFlags);
                fields.AddOpenFlags(read.Flags);
                break;
            case Opcode.Write:
                WriteIn write = Args<WriteIn>(request);
                AddRange(fields, write.Fh, write.Offset, write.Size);
                fields.AddFlags("write_flags", write.WriteFlags);
                fields.AddOpenFlags(write.Flags);
                break;
            case Opcode.Flush or Opcode.Release or Opcode.Releasedir or Opcode.Fsync or Opcode.Fsyncdir:
                DescribeEnd(request, fields);
                break;
            case Opcode.Getlk or Opcode.Setlk or Opcode.Setlkw:
                LkIn lk = Args<LkIn>(request);
                fields.Add("fh", lk.Fh);
                fields.AddHex("owner", lk.Owner);
                AddLock(fields, in lk.Lk);
                fields.AddFlags("lk_flags", lk.LkFlags);
                break;
            default:
                DescribeRest(request, fields);
                break;
        }
    }

    /// <summary>Adds a lock's range, type and owner.</summary>
    public static void AddLock(FieldList fields, in FileLock lk)
    {
        fields.Add("start", lk.Start);
        fields.Add("end", lk.End);
        fields.Add("type", lk.Type, NameOf(s_lockTypes, lk.Type));
        fields.Add("lockpid", lk.Pid);
    }

    private static void DescribeEnd(FuseRequest request, FieldList fields)
    {
        switch (request.Header.Opcode)
        {
            case Opcode.Flush:
                FlushIn flush = Args<FlushIn>(request);
                fields.Add("fh", flush.Fh);
                fields.AddHex("lock_owner", flush.LockOwner);
                break;
            case Opcode.Fsync or Opcode.Fsyncdir:
                FsyncIn fsync = Args<FsyncIn>(request);
                fields.Add("fh", fsync.Fh);
                fields.AddFlags("fsync_flags", fsync.FsyncFlags);
                break;
            default:
                ReleaseIn release = Args<ReleaseIn>(request);
                fields.Add("fh", release.Fh);
                fields.AddOpenFlags(release.Flags);
                fields.AddFlags("release_flags", release.ReleaseFlags);
                break;
        }
    }

    private static void DescribeRest(FuseRequest request, FieldList fields)
    {
        switch (request.Header.Opcode)
        {
            case Opcode.Fallocate:
                FallocateIn fallocate = Args<FallocateIn>(request);
                fields.Add("fh", fallocate.Fh);
                fields.Add("offset", fallocate.Offset);
                fields.Add("length", fallocate.Length);
                fields.AddFlags("mode", fallocate.Mode);
                break;
            case Opcode.Lseek:
                LseekIn lseek = Args<LseekIn>(request);
                fields.Add("fh", lseek.Fh);
                fields.Add("offset", lseek.Offset);
                fields.Add("whence", lseek.Whence, NameOf(s_whence, lseek.Whence));
                break;
            case Opcode.CopyFileRange or Opcode.CopyFileRange64:
                CopyFileRangeIn copy = Args<CopyFileRangeIn>(request);
                fields.Add("fh_in", copy.FhIn);
                fields.Add("off_in", copy.OffIn);
                fields.Add("nodeid_out", copy.NodeidOut);
                fields.Add("fh_out", copy.FhOut);
                fields.Add("off_out", copy.OffOut);
                fields.Add("size", copy.Len);
                fields.AddHex("flags", copy.Flags);
                break;
            case Opcode.Bmap:
                BmapIn bmap = Args<BmapIn>(request);
                fields.Add("block", bmap.Block);
                fields.Add("blocksize", bmap.Blocksize);
                break;
            case Opcode.Ioctl:
                IoctlIn ioctl = Args<IoctlIn>(request);
                fields.Add("fh", ioctl.Fh);
                fields.AddHex("cmd", ioctl.Cmd);
                fields.AddHex("arg", ioctl.Arg);
                fields.AddFlags("flags", ioctl.Flags);
                fields.Add("in_size", ioctl.InSize);
                fields.Add("out_size", ioctl.OutSize);
                break;
            case Opcode.Poll:
                PollIn poll = Args<PollIn>(request);
                fields.Add("fh", poll.Fh);
                fields.Add("kh", poll.Kh);
                fields.AddFlags("flags", poll.Flags);
                fields.AddHex("events", poll.Events);
                break;
            default:
                // READLINK, STATFS, SYNCFS and DESTROY say nothing besides their node.
                break;
        }
    }

    private static void AddRange(FieldList fields, ulong fh, ulong offset, uint size)
    {
        fields.Add("fh", fh);
        fields.Add("offset", offset);
        fields.Add("size", size);
    }

    private static string NameOf(string[] names, uint value) => value < names.Length ? names[value] : value.ToString();

    private static T Args<T>(FuseRequest request)
        where T : unmanaged => MemoryMarshal.Read<T>(request.Args.Span);
}
