using System.Runtime.CompilerServices;
using Harness.FuseProtocol.Wire;

namespace Harness.Experiments.Observing;

/// <summary>How long one request spent in each stage, in nanoseconds.</summary>
/// <param name="Opcode">What was asked for.</param>
internal record struct StageTimes(Opcode Opcode)
{
    private const long Unknown = -1;

    private PerStage _nanos = NothingKnown();

    /// <summary>The time of a stage; null if it is not known.</summary>
    public long? this[Stage stage]
    {
        readonly get => _nanos[(int)stage] is var nanos and not Unknown ? nanos : null;
        // Clocks of two CPUs may differ by a few nanoseconds.
        set => _nanos[(int)stage] = value is long nanos ? Math.Max(0, nanos) : Unknown;
    }

    private static PerStage NothingKnown()
    {
        var nanos = default(PerStage);
        ((Span<long>)nanos).Fill(Unknown);
        return nanos;
    }

    [InlineArray(Stages.Count)]
    private struct PerStage
    {
        private long _first;
    }
}
