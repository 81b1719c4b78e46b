using System.Runtime.CompilerServices;
using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;
using Harness.Simulation.Machines;
using Harness.Transport.Simulated.Names;
using Harness.Transport.Simulated.Requests;
using Mono.Unix.Native;

namespace Harness.Transport.Simulated.Calls;

/// <summary>Extended attributes, access control lists excepted, which are refused.</summary>
public sealed partial class SystemCalls
{
    /// <summary>getxattr(2) with room for so many bytes.</summary>
    /// <returns>The value's length.</returns>
    [AsyncMethodBuilder(typeof(SimMethodBuilder<>))]
    public async ValueTask<Result<long>> GetXattr(KernelTask task, string path, string name, int size)
    {
        Enter(task);
        RefuseAcl(name);
        Result<Dentry> found = await Walk.Resolve(task, path, follow: true);
        if (!found.IsOk)
        {
            return found.Error;
        }

        Errno refused = await Attributes.Check(task, found.Value.Inode!);
        return refused == Errnos.Ok ? await GetXattr(task, found.Value.Inode!, name, size) : refused;
    }

    /// <summary>setxattr(2).</summary>
    [AsyncMethodBuilder(typeof(SimMethodBuilder<>))]
    public async ValueTask<Result<long>> SetXattr(KernelTask task, string path, string name, ReadOnlyMemory<byte> value, uint flags)
    {
        const int shortSize = 8;
        Enter(task);
        RefuseAcl(name);
        Result<Dentry> found = await Walk.Resolve(task, path, follow: true);
        if (!found.IsOk)
        {
            return found.Error;
        }

        if (Connection.NoSetxattr)
        {
            return Errnos.NotSupported;
        }

        Inode inode = found.Value.Inode!;
        Errno error = await Attributes.Check(task, inode);
        if (error != Errnos.Ok)
        {
            return error;
        }

        KernelRequest request = Connection.Rent(Opcode.Setxattr, inode.NodeId);
        var arg = new SetxattrIn { Size = (uint)value.Length, Flags = flags };
        if (Connection.Has(InitFlags.SetxattrExt))
        {
            request.Add(in arg);
        }
        else
        {
            request.AddBytes(System.Runtime.InteropServices.MemoryMarshal.AsBytes([arg])[..shortSize]);
        }

        request.AddName(name);
        request.AddBytes(value.Span);
        error = await Connection.Send(task, request);
        Connection.Return(request);
        return Done(Changed(inode, error, noted: () => Connection.NoSetxattr = true));
    }

    /// <summary>removexattr(2).</summary>
    [AsyncMethodBuilder(typeof(SimMethodBuilder<>))]
    public async ValueTask<Result<long>> RemoveXattr(KernelTask task, string path, string name)
    {
        Enter(task);
        RefuseAcl(name);
        Result<Dentry> found = await Walk.Resolve(task, path, follow: true);
        if (!found.IsOk)
        {
            return found.Error;
        }

        if (Connection.NoRemovexattr)
        {
            return Errnos.NotSupported;
        }

        Inode inode = found.Value.Inode!;
        Errno error = await Attributes.Check(task, inode);
        if (error != Errnos.Ok)
        {
            return error;
        }

        KernelRequest request = Connection.Rent(Opcode.Removexattr, inode.NodeId);
        request.AddName(name);
        error = await Connection.Send(task, request);
        Connection.Return(request);
        return Done(Changed(inode, error, noted: () => Connection.NoRemovexattr = true));
    }

    /// <summary>listxattr(2) with room for so many bytes.</summary>
    /// <returns>The length of all names.</returns>
    [AsyncMethodBuilder(typeof(SimMethodBuilder<>))]
    public async ValueTask<Result<long>> ListXattr(KernelTask task, string path, int size)
    {
        Enter(task);
        Result<Dentry> found = await Walk.Resolve(task, path, follow: true);
        if (!found.IsOk)
        {
            return found.Error;
        }

        if (Connection.NoListxattr)
        {
            return Errnos.NotSupported;
        }

        KernelRequest request = Connection.Rent(Opcode.Listxattr, found.Value.Inode!.NodeId);
        request.Add(new GetxattrIn { Size = (uint)size });
        (Errno error, long length) = await SendForLength(task, request, size);
        Connection.NoListxattr |= error == Errno.ENOSYS;
        return error == Errnos.Ok ? length : error == Errno.ENOSYS ? Errnos.NotSupported : error;
    }

    private static void RefuseAcl(string name)
    {
        if (name.StartsWith("system.posix_acl", StringComparison.Ordinal))
        {
            throw new NotSupportedException($"Access control lists ({name}) are not modelled.");
        }
    }

    private Errno Changed(Inode inode, Errno error, Action noted)
    {
        if (error == Errno.ENOSYS)
        {
            noted();
            return Errnos.NotSupported;
        }

        if (error == Errnos.Ok)
        {
            Inodes.ChangeTimeMoved(inode);
        }

        return error;
    }

    private ValueTask<Result<long>> GetXattrSize(KernelTask task, Inode inode, string name) => GetXattr(task, inode, name, 0);

    [AsyncMethodBuilder(typeof(SimMethodBuilder<>))]
    private async ValueTask<Result<long>> GetXattr(KernelTask task, Inode inode, string name, int size)
    {
        if (Connection.NoGetxattr)
        {
            return Errnos.NotSupported;
        }

        KernelRequest request = Connection.Rent(Opcode.Getxattr, inode.NodeId);
        request.Add(new GetxattrIn { Size = (uint)size });
        request.AddName(name);
        (Errno error, long length) = await SendForLength(task, request, size);
        Connection.NoGetxattr |= error == Errno.ENOSYS;
        return error == Errnos.Ok ? length : error == Errno.ENOSYS ? Errnos.NotSupported : error;
    }

    [AsyncMethodBuilder(typeof(SimMethodBuilder<>))]
    private async ValueTask<(Errno Error, long Length)> SendForLength(KernelTask task, KernelRequest request, int size)
    {
        Errno error = await Connection.Send(task, request);
        long length = size == 0 ? request.Read<GetxattrOut>().Size : request.OutLength;
        Connection.Return(request);
        return (error, length);
    }
}
