using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;
using Harness.Runtime.Native;
using Microsoft.Win32.SafeHandles;
using Mono.Unix.Native;

namespace Harness.Transport;

/// <summary>Backing files by ioctl(2) on a connection's device (fs/fuse/backing.c).</summary>
internal sealed unsafe class BackingFiles(SafeFileHandle device) : IBackingFiles
{
    // _IOW(229, 1, struct fuse_backing_map) and _IOW(229, 2, uint32_t)
    private const nuint IocBackingOpen = 0x4010E501;
    private const nuint IocBackingClose = 0x4004E502;

    private readonly SafeFileHandle _device = device;

    /// <inheritdoc/>
    public Result<int> Open(int fd)
    {
        var map = new BackingMap { Fd = fd };
        int id = Libc.Ioctl(_device, IocBackingOpen, &map);
        return id >= 0 ? id : Libc.LastErrno;
    }

    /// <inheritdoc/>
    public Errno Close(int id)
    {
        uint number = (uint)id;
        return Libc.Ioctl(_device, IocBackingClose, &number) == 0 ? Errnos.Ok : Libc.LastErrno;
    }
}
