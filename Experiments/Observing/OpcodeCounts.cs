using System.Text.Json.Serialization;
using Harness.FuseProtocol.Wire;

namespace Harness.Experiments.Observing;

/// <summary>How often an opcode came, and how long it took in the daemon.</summary>
internal sealed record OpcodeCounts
{
    /// <summary>What was asked for.</summary>
    [JsonConverter(typeof(JsonNumberEnumConverter<Opcode>))]
    public Opcode Opcode { get; init; }

    /// <summary>Requests answered or ended.</summary>
    public long Requests { get; set; }

    /// <summary>Those of them that were answered with an error.</summary>
    public long Errors { get; set; }

    /// <summary>Bytes of their messages, headers included.</summary>
    public long BytesIn { get; set; }

    /// <summary>Bytes of their replies, headers included.</summary>
    public long BytesOut { get; set; }

    /// <summary>Latencies of those that were timed, by bucket of <see cref="LatencyBuckets"/>.</summary>
    public long[] Latencies { get; set; } = new long[LatencyBuckets.Count];

    /// <summary>What has come on top of an earlier count of the same opcode.</summary>
    public OpcodeCounts Since(OpcodeCounts? earlier) => earlier is null ? this : this with
    {
        Requests = Requests - earlier.Requests,
        Errors = Errors - earlier.Errors,
        BytesIn = BytesIn - earlier.BytesIn,
        BytesOut = BytesOut - earlier.BytesOut,
        Latencies = [.. Latencies.Zip(earlier.Latencies, (now, then) => now - then)],
    };
}
