using Harness.FuseProtocol;

namespace Harness.Transport;

/// <summary>Moves messages between a kernel and whoever handles them. A channel pushes: it owns its threads and slots.</summary>
public interface IFuseChannel : IDisposable
{
    /// <summary>
    /// Hands every message to <paramref name="handler"/> until the kernel closes the connection (unmount, abort), or until
    /// <paramref name="cancellationToken"/> asks to stop receiving. Blocks the calling thread on a real kernel.
    /// </summary>
    /// <exception cref="FuseTransportException">The device failed in a way that is no end of the connection.</exception>
    void Run(IRequestHandler handler, CancellationToken cancellationToken);
}
