using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Harness.FuseProtocol.Wire;

namespace Harness.FuseProtocol.Tracing;

/// <summary>Names what matters of the payload of a successful reply.</summary>
internal static class ReplyDescriber
{
    /// <summary>Adds the fields of a reply to <paramref name="opcode"/>; a payload that is too short for them adds none.</summary>
    public static void Describe(Opcode opcode, ReadOnlySpan<byte> payload, FieldList fields)
    {
        switch (opcode)
        {
            case Opcode.Lookup or Opcode.Symlink or Opcode.Mknod or Opcode.Mkdir or Opcode.Link:
                AddEntry(payload, fields);
                break;
            case Opcode.Create or Opcode.Tmpfile:
                AddEntry(payload, fields);
                AddOpen(payload[Math.Min(payload.Length, Unsafe.SizeOf<EntryOut>())..], fields);
                break;
            case Opcode.Open or Opcode.Opendir:
                AddOpen(payload, fields);
                break;
            case Opcode.Getattr or Opcode.Setattr when TryRead(payload, out AttrOut attr):
                AddAttr(fields, in attr.Attr);
                break;
            case Opcode.Statx when TryRead(payload, out StatxOut statx):
                fields.AddHex("mask", statx.Stat.Mask);
                fields.Add("ino", statx.Stat.Ino);
                fields.AddOctal("mode", statx.Stat.Mode);
                fields.Add("size", statx.Stat.Size);
                break;
            case Opcode.Read or Opcode.Readdir or Opcode.Readdirplus or Opcode.Readlink:
                fields.Add("size", (ulong)payload.Length);
                break;
            case Opcode.Init when TryRead(payload, out InitOut init):
                AddInit(fields, in init);
                break;
            default:
                DescribeRest(opcode, payload, fields);
                break;
        }
    }

    private static void DescribeRest(Opcode opcode, ReadOnlySpan<byte> payload, FieldList fields)
    {
        switch (opcode)
        {
            case Opcode.Write or Opcode.CopyFileRange when TryRead(payload, out WriteOut write):
                fields.Add("size", write.Size);
                break;
            case Opcode.CopyFileRange64 when TryRead(payload, out CopyFileRangeOut copied):
                fields.Add("size", copied.BytesCopied);
                break;
            case Opcode.Statfs when TryRead(payload, out Kstatfs statfs):
                fields.Add("bsize", statfs.Bsize);
                fields.Add("blocks", statfs.Blocks);
                fields.Add("bfree", statfs.Bfree);
                break;
            case Opcode.Getlk when TryRead(payload, out FileLock lk):
                FileRequestDescriber.AddLock(fields, in lk);
                break;
            case Opcode.Bmap when TryRead(payload, out BmapOut bmap):
                fields.Add("block", bmap.Block);
                break;
            case Opcode.Lseek when TryRead(payload, out LseekOut lseek):
                fields.Add("offset", lseek.Offset);
                break;
            case Opcode.Poll when TryRead(payload, out PollOut poll):
                fields.AddHex("revents", poll.Revents);
                break;
            case Opcode.Ioctl when TryRead(payload, out IoctlOut ioctl):
                fields.AddSigned("result", ioctl.Result);
                fields.AddFlags("flags", ioctl.Flags);
                fields.Add("size", (ulong)(payload.Length - Unsafe.SizeOf<IoctlOut>()));
                break;
            default:
                // GETXATTR and LISTXATTR answer bytes or a number of bytes, which only their request tells apart.
                break;
        }
    }

    private static void AddEntry(ReadOnlySpan<byte> payload, FieldList fields)
    {
        if (TryRead(payload, out EntryOut entry))
        {
            fields.Add("nodeid", entry.Nodeid);
            fields.Add("generation", entry.Generation);
            AddTimeout(fields, "entry_valid", entry.EntryValid, entry.EntryValidNsec);
            AddTimeout(fields, "attr_valid", entry.AttrValid, entry.AttrValidNsec);
            AddAttr(fields, in entry.Attr);
        }
    }

    private static void AddAttr(FieldList fields, in Attr attr)
    {
        fields.Add("ino", attr.Ino);
        fields.AddOctal("mode", attr.Mode);
        fields.Add("nlink", attr.Nlink);
        fields.Add("size", attr.Size);
    }

    private static void AddOpen(ReadOnlySpan<byte> payload, FieldList fields)
    {
        if (TryRead(payload, out OpenOut open))
        {
            fields.Add("fh", open.Fh);
            fields.AddFlags("open_flags", open.OpenFlags);
            if ((open.OpenFlags & FopenFlags.Passthrough) != 0)
            {
                fields.AddSigned("backing_id", open.BackingId);
            }
        }
    }

    private static void AddInit(FieldList fields, in InitOut init)
    {
        fields.Add("major", init.Major);
        fields.Add("minor", init.Minor);
        fields.Add("max_readahead", init.MaxReadahead);
        fields.AddFlags("flags", (InitFlags)(init.Flags | ((ulong)init.Flags2 << 32)));
        fields.Add("max_background", init.MaxBackground);
        fields.Add("congestion_threshold", init.CongestionThreshold);
        fields.Add("max_write", init.MaxWrite);
        fields.Add("max_pages", init.MaxPages);
        fields.Add("time_gran", init.TimeGran);
        fields.Add("request_timeout", init.RequestTimeout);
    }

    private static void AddTimeout(FieldList fields, string name, ulong seconds, uint nanoseconds) =>
        fields.Add(name, seconds, nanoseconds == 0 ? $"{seconds}s" : $"{seconds}.{nanoseconds:d9}s");

    private static bool TryRead<T>(ReadOnlySpan<byte> payload, out T value)
        where T : unmanaged => MemoryMarshal.TryRead(payload, out value);
}
