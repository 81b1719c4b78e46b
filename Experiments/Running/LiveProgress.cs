using Harness.Results.Records;
using Spectre.Console;

namespace Harness.Experiments.Running;

/// <summary>Progress on a terminal: a bar, the time left, and what runs now.</summary>
internal sealed class LiveProgress : IRunProgress
{
    private readonly ProgressContext _context;
    private readonly ProgressTask _task;

    private LiveProgress(ProgressContext context)
    {
        _context = context;
        _task = context.AddTask("starting");
    }

    /// <summary>Shows progress while <paramref name="work"/> goes on.</summary>
    public static Task Show(Func<IRunProgress, Task> work) => AnsiConsole.Progress()
        .Columns(new SpinnerColumn(), new ProgressBarColumn(), new PercentageColumn(), new TaskDescriptionColumn { Alignment = Justify.Left })
        .StartAsync(context => work(new LiveProgress(context)));

    /// <inheritdoc/>
    public void Started(string trial, int done, int total, TimeSpan left)
    {
        _task.MaxValue = total;
        _task.Value = done;
        _task.Description = Markup.Escape($"{done}/{total}, {PlainProgress.Format(left)} left  {trial}");
        _context.Refresh();
    }

    /// <inheritdoc/>
    public void Finished(TrialRecord record)
    {
        _task.Increment(1);
        if (record.Error is not null)
        {
            AnsiConsole.MarkupLineInterpolated(
                $"[red]failed[/]: {record.Experiment}, {record.Workload}, {record.Configuration}, block {record.Block}: {record.Error}");
        }
    }
}
