using Harness.FuseProtocol.Wire;
using Mono.Unix.Native;

namespace Harness.FuseProtocol.Tracing;

/// <summary>Several observers in the place of one; each is told in turn.</summary>
public sealed class ObserverSet : IFuseObserver
{
    private readonly IFuseObserver[] _observers;

    private ObserverSet(IFuseObserver[] observers) => _observers = observers;

    /// <inheritdoc/>
    public bool SeesMessages => _observers.Any(observer => observer.SeesMessages);

    /// <summary>Combines observers, leaving out those that are null.</summary>
    /// <returns>Null if none is left, so that a session without observers does not pay for them; the one itself if one is.</returns>
    public static IFuseObserver? Of(params ReadOnlySpan<IFuseObserver?> observers)
    {
        var present = new List<IFuseObserver>();
        foreach (IFuseObserver? observer in observers)
        {
            if (observer is not null)
            {
                present.Add(observer);
            }
        }

        return present switch { [] => null, [IFuseObserver one] => one, _ => new ObserverSet([.. present]) };
    }

    /// <inheritdoc/>
    public void Received(FuseRequest request)
    {
        foreach (IFuseObserver observer in _observers)
        {
            observer.Received(request);
        }
    }

    /// <inheritdoc/>
    public void Replied(FuseRequest request, Errno error, ReadOnlySpan<byte> payload)
    {
        foreach (IFuseObserver observer in _observers)
        {
            observer.Replied(request, error, payload);
        }
    }

    /// <inheritdoc/>
    public void Notified(NotifyCode code, Errno error, ReadOnlySpan<byte> body, ReadOnlySpan<byte> data)
    {
        foreach (IFuseObserver observer in _observers)
        {
            observer.Notified(code, error, body, data);
        }
    }

    /// <inheritdoc/>
    public void Refused(in InHeader header, string reason)
    {
        foreach (IFuseObserver observer in _observers)
        {
            observer.Refused(in header, reason);
        }
    }

    /// <inheritdoc/>
    public void Faulted(in InHeader header, Exception exception)
    {
        foreach (IFuseObserver observer in _observers)
        {
            observer.Faulted(in header, exception);
        }
    }
}
