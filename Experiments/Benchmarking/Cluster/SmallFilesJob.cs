using System.Text;
using Harness.Results.Analysis;
using Harness.Results.Records;
using Harness.Runtime.Native;

namespace Harness.Experiments.Benchmarking.Cluster;

/// <summary>Many files of 1 KiB in one directory, one system call after the other: made, looked at, read back, renamed and removed.</summary>
/// <param name="files">How many.</param>
internal sealed class SmallFilesJob(int files) : ClusterJob
{
    private const int FileBytes = 1024;

    /// <inheritdoc/>
    public override string Name => "files-1k";

    /// <inheritdoc/>
    public override IReadOnlyList<ClusterCell> Cells { get; } =
    [
        new ClusterCell("create-1k", Metric.Iops, ClusterCell.BarOfMetadata),
        new ClusterCell("stat", Metric.Iops, ClusterCell.BarOfLooking),
        new ClusterCell("read-1k", Metric.Iops, ClusterCell.BarOfLooking),
        new ClusterCell("rename", Metric.Iops, ClusterCell.BarOfMetadata),
        new ClusterCell("unlink", Metric.Iops, ClusterCell.BarOfMetadata),
    ];

    /// <inheritdoc/>
    public override Task<IReadOnlyList<TrialMeasurement>> Run(ClusterSide side, string stem, CancellationToken cancellationToken) => Task.Run(
        () =>
        {
            string directory = side.PathOf(Name);
            Directory.CreateDirectory(directory);
            byte[] content = new byte[FileBytes];
            new Random(files).NextBytes(content);
            byte[] back = new byte[FileBytes];
            IReadOnlyList<TrialMeasurement> all =
            [
                Phase(path => Create(path, content)),
                Phase(Look),
                Phase(path => ReadBack(path, content, back)),
                Phase(path => Check(Libc.Rename(path, $"{path}.new") == 0, "rename", path)),
                Phase(path => Check(Libc.Unlink($"{path}.new") == 0, "unlink", path)),
            ];
            Directory.Delete(directory);
            return all;

            TrialMeasurement Phase(Action<string> operation)
            {
                var meter = new OperationMeter(side);
                for (int i = 0; i < files; i++)
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    operation($"{directory}/file-{i}");
                    meter.Lap();
                }

                meter.Stop();
                return meter.Measurement(files, (long)files * FileBytes);
            }
        },
        CancellationToken.None);

    private static void Create(string path, byte[] content)
    {
        using PlainFile? file = PlainFile.Open(path, FileFlags.ReadWrite | FileFlags.Create | FileFlags.Exclusive, out _);
        Check(file is not null && Libc.Pwrite(file, content, 0) == content.Length, "writing", path);
    }

    private static void Look(string path) => Check(
        Libc.Statx(AtFdCwd, Encoding.UTF8.GetBytes($"{path}\0"), 0, StatxBasicStats, out FileStatus status) == 0, "stat", path);

    private static void ReadBack(string path, byte[] content, byte[] back)
    {
        using PlainFile? file = PlainFile.Open(path, FileFlags.ReadOnly, out _);
        Check(file is not null && Libc.Pread(file, back, 0) == back.Length && back.AsSpan().SequenceEqual(content), "reading back", path);
    }

    private const int AtFdCwd = -100;
    private const uint StatxBasicStats = 0x7FF;

    private static void Check(bool ok, string what, string path)
    {
        if (!ok)
        {
            throw new InvalidDataException($"{what} {path} failed: {Libc.LastErrno}");
        }
    }
}
