namespace Harness.Experiments.Conformance;

/// <summary>What a step came to in one world.</summary>
/// <param name="Outcome">What the call returned: a number, with a checksum of what was read, or an errno.</param>
/// <param name="Messages">The messages that it led to.</param>
/// <param name="InFlightMax">The most that were unanswered at once.</param>
internal sealed record StepRecord(string Outcome, IReadOnlyList<ObservedMessage> Messages, int InFlightMax);

/// <summary>Data that scripts write, and checksums of what they read.</summary>
internal static class ScriptData
{
    /// <summary>The most bytes of one call.</summary>
    public const int BytesMax = 16 << 20;

    /// <summary>Fills a buffer with what the step of this number writes.</summary>
    public static void Fill(Span<byte> data, int step)
    {
        for (int i = 0; i < data.Length; i++)
        {
            data[i] = (byte)((i * 7) + (i >> 8) + (step * 31) + 1);
        }
    }

    /// <summary>A call's result for comparison.</summary>
    public static string Outcome(long result, ReadOnlySpan<byte> read)
    {
        if (result <= 0)
        {
            return $"{result}";
        }

        uint sum = 2_166_136_261;
        foreach (byte value in read)
        {
            sum = (sum ^ value) * 16_777_619;
        }

        return $"{result} bytes, checksum {sum:x8}";
    }
}
