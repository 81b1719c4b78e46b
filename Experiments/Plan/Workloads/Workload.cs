using Harness.Experiments.Plan.Values;

namespace Harness.Experiments.Plan.Workloads;

/// <summary>One fio job on the mount under test.</summary>
internal sealed record Workload
{
    /// <summary>What a size-bound workload is guessed to take, for progress only.</summary>
    public static readonly TimeSpan SizeBoundGuess = TimeSpan.FromSeconds(2);

    /// <summary>Distinct in its experiment, fit for a file name and for a section of fio's job file.</summary>
    public required string Name { get; init; }

    /// <summary>fio's options in the order of the plan; <c>rw</c> and <c>size</c> are among them.</summary>
    public required IReadOnlyList<FioSetting> Settings { get; init; }

    /// <summary>How long it runs; null if it ends when it has moved <c>size</c> (fio's <c>time_based=0</c>).</summary>
    public required Timing? Timing { get; init; }

    /// <summary>How long a trial is expected to last without start and end.</summary>
    public TimeSpan ExpectedTime => Timing?.Total ?? SizeBoundGuess;

    public bool Reads => Mode is not ("write" or "randwrite");

    public bool Writes => Mode is not ("read" or "randread");

    private string Mode => Find(FioKeys.Rw)?.Text ?? "read";

    /// <summary>The value of an option, or null if fio's default stands.</summary>
    public ScalarValue? Find(FioKey key)
    {
        foreach (FioSetting setting in Settings)
        {
            if (setting.Key == key)
            {
                return setting.Value;
            }
        }

        return null;
    }

    /// <summary>The number an option has.</summary>
    public long Number(FioKey key, long otherwise) => Find(key)?.Number ?? otherwise;
}
