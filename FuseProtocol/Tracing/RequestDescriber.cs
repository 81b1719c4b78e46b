using System.Runtime.InteropServices;
using Harness.FuseProtocol.Wire;

namespace Harness.FuseProtocol.Tracing;

/// <summary>Names the arguments of a request, in the order in which a reader wants them: what, where, how much, how.</summary>
internal static class RequestDescriber
{
    /// <summary>Adds the arguments of a request that has been split.</summary>
    public static void Describe(FuseRequest request, FieldList fields)
    {
        switch (request.Header.Opcode)
        {
            case Opcode.Lookup or Opcode.Unlink or Opcode.Rmdir or Opcode.Removexattr:
                AddStrings(request, fields, "name");
                break;
            case Opcode.Symlink:
                AddStrings(request, fields, "name", "target");
                break;
            case Opcode.Mknod or Opcode.Mkdir or Opcode.Link or Opcode.Rename or Opcode.Rename2 or Opcode.Create or Opcode.Tmpfile:
                DescribeNaming(request, fields);
                break;
            case Opcode.Getattr or Opcode.Statx or Opcode.Setattr or Opcode.Access or Opcode.Forget or Opcode.BatchForget:
                DescribeNode(request, fields);
                break;
            case Opcode.Setxattr or Opcode.Getxattr or Opcode.Listxattr:
                DescribeXattr(request, fields);
                break;
            case Opcode.Init or Opcode.Interrupt or Opcode.NotifyReply or Opcode.Setupmapping or Opcode.Removemapping:
                DescribeSession(request, fields);
                break;
            default:
                FileRequestDescriber.Describe(request, fields);
                break;
        }

        if (!request.Extensions.IsEmpty)
        {
            DescribeExtensions(new RequestExtensions(request.Extensions.Span), fields);
        }
    }

    private static void DescribeNaming(FuseRequest request, FieldList fields)
    {
        switch (request.Header.Opcode)
        {
            case Opcode.Mknod:
                MknodIn mknod = Args<MknodIn>(request);
                AddStrings(request, fields, "name");
                fields.AddOctal("mode", mknod.Mode);
                fields.AddHex("rdev", mknod.Rdev);
                fields.AddOctal("umask", mknod.Umask);
                break;
            case Opcode.Mkdir:
                MkdirIn mkdir = Args<MkdirIn>(request);
                AddStrings(request, fields, "name");
                fields.AddOctal("mode", mkdir.Mode);
                fields.AddOctal("umask", mkdir.Umask);
                break;
            case Opcode.Link:
                fields.Add("oldnodeid", Args<LinkIn>(request).Oldnodeid);
                AddStrings(request, fields, "name");
                break;
            case Opcode.Rename:
                fields.Add("newdir", Args<RenameIn>(request).Newdir);
                AddStrings(request, fields, "name", "newname");
                break;
            case Opcode.Rename2:
                Rename2In rename = Args<Rename2In>(request);
                fields.Add("newdir", rename.Newdir);
                AddStrings(request, fields, "name", "newname");
                fields.AddFlags("flags", rename.Flags);
                break;
            default:
                CreateIn create = Args<CreateIn>(request);
                if (request.Header.Opcode == Opcode.Create)
                {
                    AddStrings(request, fields, "name");
                }

                fields.AddOpenFlags(create.Flags);
                fields.AddOctal("mode", create.Mode);
                fields.AddOctal("umask", create.Umask);
                fields.AddFlags("open_flags", create.OpenFlags);
                break;
        }
    }

    private static void DescribeNode(FuseRequest request, FieldList fields)
    {
        switch (request.Header.Opcode)
        {
            case Opcode.Getattr:
                GetattrIn getattr = Args<GetattrIn>(request);
                fields.AddFlags("getattr_flags", getattr.GetattrFlags);
                AddIf((getattr.GetattrFlags & GetattrFlags.Fh) != 0, fields, "fh", getattr.Fh);
                break;
            case Opcode.Statx:
                StatxIn statx = Args<StatxIn>(request);
                fields.AddFlags("getattr_flags", statx.GetattrFlags);
                AddIf((statx.GetattrFlags & GetattrFlags.Fh) != 0, fields, "fh", statx.Fh);
                fields.AddHex("sx_flags", statx.SxFlags);
                fields.AddHex("sx_mask", statx.SxMask);
                break;
            case Opcode.Setattr:
                DescribeSetattr(Args<SetattrIn>(request), fields);
                break;
            case Opcode.Access:
                uint mask = Args<AccessIn>(request).Mask;
                fields.Add("mask", mask, KernelNames.OfAccess(mask));
                break;
            case Opcode.Forget:
                fields.Add("nlookup", Args<ForgetIn>(request).Nlookup);
                break;
            default:
                fields.Add("count", Args<BatchForgetIn>(request).Count);
                break;
        }
    }

    private static void DescribeSetattr(in SetattrIn arg, FieldList fields)
    {
        fields.AddFlags("valid", arg.Valid);
        AddIf((arg.Valid & SetattrValid.Fh) != 0, fields, "fh", arg.Fh);
        AddIf((arg.Valid & SetattrValid.Size) != 0, fields, "size", arg.Size);
        AddIf((arg.Valid & SetattrValid.Uid) != 0, fields, "newuid", arg.Uid);
        AddIf((arg.Valid & SetattrValid.Gid) != 0, fields, "newgid", arg.Gid);
        AddIf((arg.Valid & SetattrValid.LockOwner) != 0, fields, "lock_owner", arg.LockOwner);
        if ((arg.Valid & SetattrValid.Mode) != 0)
        {
            fields.AddOctal("mode", arg.Mode);
        }

        AddTime((arg.Valid & SetattrValid.Atime) != 0, fields, "atime", arg.Atime, arg.Atimensec);
        AddTime((arg.Valid & SetattrValid.Mtime) != 0, fields, "mtime", arg.Mtime, arg.Mtimensec);
        AddTime((arg.Valid & SetattrValid.Ctime) != 0, fields, "ctime", arg.Ctime, arg.Ctimensec);
    }

    private static void DescribeXattr(FuseRequest request, FieldList fields)
    {
        if (request.Header.Opcode != Opcode.Listxattr)
        {
            AddStrings(request, fields, "name");
        }

        fields.Add("size", Args<uint>(request));
        if (request.Header.Opcode == Opcode.Setxattr)
        {
            // What an older kernel does not send reads as 0.
            SetxattrIn setxattr = default;
            request.Args.Span.CopyTo(MemoryMarshal.AsBytes(new Span<SetxattrIn>(ref setxattr)));
            fields.Add("flags", setxattr.Flags, KernelNames.OfXattrFlags(setxattr.Flags));
            fields.AddFlags("setxattr_flags", setxattr.SetxattrFlags);
        }
    }

    private static void DescribeSession(FuseRequest request, FieldList fields)
    {
        switch (request.Header.Opcode)
        {
            case Opcode.Init:
                InitIn init = FuseSession.ReadOffer(request);
                fields.Add("major", init.Major);
                fields.Add("minor", init.Minor);
                fields.Add("max_readahead", init.MaxReadahead);
                fields.AddFlags("flags", (InitFlags)(init.Flags | ((ulong)init.Flags2 << 32)));
                break;
            case Opcode.Interrupt:
                fields.Add("interrupts", Args<InterruptIn>(request).Unique);
                break;
            case Opcode.NotifyReply:
                NotifyRetrieveIn retrieved = Args<NotifyRetrieveIn>(request);
                fields.Add("number", FuseNotifier.RetrieveNumber(request.Header.Unique));
                fields.Add("offset", retrieved.Offset);
                fields.Add("size", retrieved.Size);
                break;
            case Opcode.Setupmapping:
                SetupmappingIn mapping = Args<SetupmappingIn>(request);
                fields.Add("fh", mapping.Fh);
                fields.Add("foffset", mapping.Foffset);
                fields.Add("len", mapping.Len);
                fields.AddHex("flags", mapping.Flags);
                fields.Add("moffset", mapping.Moffset);
                break;
            default:
                fields.Add("count", Args<RemovemappingIn>(request).Count);
                break;
        }
    }

    private static void DescribeExtensions(RequestExtensions extensions, FieldList fields)
    {
        ReadOnlySpan<uint> groups = extensions.SupplementaryGroups;
        if (!groups.IsEmpty)
        {
            fields.Add("groups", groups[0], string.Join(',', groups.ToArray()));
        }

        if (extensions.TryGetSecurityContext(out ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value))
        {
            fields.AddText(System.Text.Encoding.ASCII.GetString(name), value);
        }
    }

    private static void AddStrings(FuseRequest request, FieldList fields, params ReadOnlySpan<string> names)
    {
        ReadOnlySpan<byte> rest = request.Payload.Span;
        foreach (string name in names)
        {
            int nul = rest.IndexOf((byte)0);
            fields.AddText(name, nul < 0 ? rest : rest[..nul]);
            rest = nul < 0 ? default : rest[(nul + 1)..];
        }
    }

    private static void AddIf(bool valid, FieldList fields, string name, ulong value)
    {
        if (valid)
        {
            fields.Add(name, value);
        }
    }

    private static void AddTime(bool valid, FieldList fields, string name, ulong seconds, uint nanoseconds)
    {
        if (valid)
        {
            fields.Add(name, seconds, $"{(long)seconds}.{nanoseconds:d9}");
        }
    }

    private static T Args<T>(FuseRequest request)
        where T : unmanaged => MemoryMarshal.Read<T>(request.Args.Span);
}
