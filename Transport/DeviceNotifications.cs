using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;
using Harness.Runtime.Native;
using Microsoft.Win32.SafeHandles;
using Mono.Unix.Native;
using Iovec = Harness.Runtime.Native.Iovec;

namespace Harness.Transport;

/// <summary>Sends notifications by writing to a connection's device, as all channels do, rings included.</summary>
internal sealed unsafe class DeviceNotifications(SafeFileHandle device) : INotificationSink
{
    private readonly SafeFileHandle _device = device;

    /// <inheritdoc/>
    public Errno Send(NotifyCode code, ReadOnlySpan<byte> body, ReadOnlySpan<byte> data)
    {
        var header = new OutHeader { Len = (uint)(OutHeader.Size + body.Length + data.Length), Error = (int)code };
        fixed (byte* bodyStart = body, dataStart = data)
        {
            Iovec* iov = stackalloc Iovec[3];
            iov[0] = new Iovec { Base = &header, Length = OutHeader.Size };
            iov[1] = new Iovec { Base = bodyStart, Length = (nuint)body.Length };
            iov[2] = new Iovec { Base = dataStart, Length = (nuint)data.Length };
            bool added = false;
            try
            {
                _device.DangerousAddRef(ref added);
                return Libc.Writev((int)_device.DangerousGetHandle(), iov, 3) >= 0 ? Errnos.Ok : Libc.LastErrno;
            }
            catch (ObjectDisposedException)
            {
                return Errno.ENODEV;
            }
            finally
            {
                if (added)
                {
                    _device.DangerousRelease();
                }
            }
        }
    }
}
