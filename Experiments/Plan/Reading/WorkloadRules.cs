using Harness.Experiments.Plan.Workloads;
using Harness.Experiments.Plan.Yaml;

namespace Harness.Experiments.Plan.Reading;

/// <summary>
/// Refuses workloads whose options are right one by one and wrong together: fio would fail, or measure in silence something other
/// than what was asked for.
/// </summary>
internal sealed class WorkloadRules(Problems problems)
{
    private const string DefaultEngine = "psync";

    private static readonly string[] SynchronousEngines = ["sync", "psync", "vsync", "pvsync", "pvsync2", "mmap"];

    private static readonly string[] Mixed = ["rw", "readwrite", "randrw"];

    /// <summary>Checks a workload.</summary>
    /// <param name="workload">The workload.</param>
    /// <param name="backend">What it will run on.</param>
    /// <param name="marks">Where each option that the workload sets stands.</param>
    public void Check(Workload workload, Backend backend, IReadOnlyDictionary<FioKey, SourceMark> marks)
    {
        string engine = workload.Find(FioKeys.IoEngine)?.Text ?? DefaultEngine;
        CheckDepth(workload, engine, marks);
        CheckMode(workload, marks);
        CheckSize(workload, marks);
        foreach (FioKey key in workload.Settings.Select(setting => setting.Key).Where(key => !key.IsKnownTo(engine)))
        {
            string engines = string.Join(" or ", key.Engines);
            problems.Add(marks[key], $"{key} is an option of ioengine {engines}, and this workload has {engine}");
        }

        if (backend.Name == Backend.Null)
        {
            CheckNullBackend(workload, marks);
        }
    }

    private void CheckDepth(Workload workload, string engine, IReadOnlyDictionary<FioKey, SourceMark> marks)
    {
        if (workload.Number(FioKeys.IoDepth, 1) <= 1)
        {
            return;
        }

        SourceMark mark = marks[FioKeys.IoDepth];
        string depth = $"iodepth {workload.Find(FioKeys.IoDepth)}";
        if (SynchronousEngines.Contains(engine))
        {
            string which = workload.Find(FioKeys.IoEngine) is null ? $"{engine} (fio's default)" : engine;
            problems.Add(
                mark,
                $"{depth} needs an asynchronous ioengine, and {which} has one request at a time; allowed: libaio, io_uring, posixaio");
        }
        else if (engine == "libaio" && workload.Number(FioKeys.Direct, 0) == 0)
        {
            // The kernel serves buffered aio within io_submit; see "libaio" under ioengine in fio's manual.
            problems.Add(mark, $"{depth} with libaio needs direct: on, since buffered libaio has one request at a time");
        }
    }

    private void CheckMode(Workload workload, IReadOnlyDictionary<FioKey, SourceMark> marks)
    {
        if (workload.Find(FioKeys.Rw) is not { } mode)
        {
            return;
        }

        foreach (FioKey key in new[] { FioKeys.RwMixRead, FioKeys.RwMixWrite })
        {
            if (marks.TryGetValue(key, out SourceMark mark) && !Mixed.Contains(mode.Text))
            {
                problems.Add(mark, $"{key} has no effect with rw: {mode}; allowed: rw: rw, readwrite or randrw");
            }
        }

        if (marks.TryGetValue(FioKeys.Verify, out SourceMark verify) && !workload.Writes)
        {
            problems.Add(verify, $"verify has nothing to compare with rw: {mode}, which writes nothing; allowed: a workload that writes");
        }

        bool hasPattern = marks.TryGetValue(FioKeys.VerifyPattern, out SourceMark pattern);
        bool wantsPattern = workload.Find(FioKeys.Verify)?.Text == "pattern";
        if (hasPattern != wantsPattern)
        {
            problems.Add(hasPattern ? pattern : marks[FioKeys.Verify], "verify: pattern and verify_pattern need each other");
        }
    }

    private void CheckSize(Workload workload, IReadOnlyDictionary<FioKey, SourceMark> marks)
    {
        if (workload.Find(FioKeys.Size) is not { } size || workload.Find(FioKeys.Bs) is not { } blockSize)
        {
            return;
        }

        long files = workload.Number(FioKeys.NrFiles, 1);
        if (size.Number / files < blockSize.Number)
        {
            string share = files > 1 ? $"size {size} in {files} files" : $"size {size}";
            problems.Add(marks[FioKeys.Size], $"{share} holds no block of bs {blockSize}; make size larger or bs smaller");
        }
    }

    private void CheckNullBackend(Workload workload, IReadOnlyDictionary<FioKey, SourceMark> marks)
    {
        if (workload.Number(FioKeys.NumJobs, 1) > Backend.NullFiles)
        {
            problems.Add(
                marks[FioKeys.NumJobs],
                $"backend null has {Backend.NullFiles} files, one per job; allowed: numjobs up to {Backend.NullFiles}");
        }

        if (workload.Number(FioKeys.NrFiles, 1) > 1)
        {
            problems.Add(marks[FioKeys.NrFiles], "backend null has one file per job; leave nrfiles out");
        }

        if (marks.TryGetValue(FioKeys.Verify, out SourceMark verify))
        {
            problems.Add(verify, "backend null forgets what is written, so that nothing can be verified; use backend memory");
        }
    }
}
