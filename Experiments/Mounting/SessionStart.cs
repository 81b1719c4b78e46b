using Harness.FuseProtocol;
using Harness.Transport;

namespace Harness.Experiments.Mounting;

/// <summary>The wait for INIT, which the kernel sends with the mount.</summary>
internal static class SessionStart
{
    private static readonly TimeSpan s_initMax = TimeSpan.FromSeconds(10);

    /// <summary>Waits until INIT is over.</summary>
    /// <exception cref="FuseTransportException">The kernel is too old, or sends none.</exception>
    public static NegotiatedInit Await(FuseSession session, string mountPoint)
    {
        try
        {
            return session.Started.Wait(s_initMax) ? session.Started.Result : throw new FuseTransportException(
                $"The kernel sent no INIT within {s_initMax.TotalSeconds} s of mounting {mountPoint}.");
        }
        catch (AggregateException exception) when (exception.InnerException is NotSupportedException unsupported)
        {
            throw new FuseTransportException($"{unsupported.Message}. Boot a newer kernel.", unsupported);
        }
    }
}
