using Harness.FuseProtocol;
using Harness.FuseProtocol.Tracing;

namespace Harness.Experiments.Mounting;

/// <summary>Who watches the messages of a mount.</summary>
internal static class MountObservers
{
    /// <summary>Refusals and faults to standard error always, and a trace where one is asked for.</summary>
    public static IFuseObserver Create(TextWriter? trace) =>
        ObserverSet.Of(trace is null ? null : new FuseTrace(trace), new FaultLog(Console.Error, TimeProvider.System))!;
}
