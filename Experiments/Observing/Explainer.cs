using System.Diagnostics;
using System.Globalization;
using Harness.Experiments.Commands;
using Harness.Experiments.Observing.Kernel;
using Harness.Transport;

namespace Harness.Experiments.Observing;

/// <summary>Watches a running mount for a while and says where its requests' time went.</summary>
/// <remarks>
/// It looks through short windows, between which requests run undisturbed while what a window held is read and joined; so buffers stay small
/// whatever the load. To trace system calls makes every one of them slower (each takes the kernel's slow path), so every other window
/// has them, for the caller's stages, and the remaining ones tell all the rest.
/// </remarks>
internal sealed class Explainer : IDisposable
{
    /// <summary>A window ends after so many requests...</summary>
    private const int WindowRequests = 1 << 13;

    /// <summary>With fewer requests in a window nobody minds what tracing costs, and every request is needed.</summary>
    private const int SlowWindowRequests = 1 << 10;

    // ... or this time, whichever comes first.
    private static readonly TimeSpan s_windowMax = TimeSpan.FromMilliseconds(400);
    private static readonly TimeSpan s_lookAgain = TimeSpan.FromMilliseconds(20);

    private readonly ControlClient _client;
    private readonly KernelTrace? _trace;
    private string? _kernelProblem;
    private readonly StageTally _tally = new();
    private readonly HashSet<int> _servers = [];
    private HashSet<int> _callers = [];
    private long _recorded;

    private Explainer(ControlClient client, KernelTrace? trace, string? kernelProblem)
    {
        _client = client;
        _trace = trace;
        _kernelProblem = kernelProblem;
    }

    /// <summary>Attaches to a mount; without the kernel's tracepoints where they cannot be had.</summary>
    /// <exception cref="BadArgumentsException">It is no mount of this program's.</exception>
    /// <exception cref="FuseTransportException">It is another user's.</exception>
    public static async Task<Explainer> Attach(string mountPoint, CancellationToken cancellationToken)
    {
        ControlClient client = await ControlClient.Connect(mountPoint, cancellationToken).ConfigureAwait(false);
        try
        {
            return new Explainer(client, KernelTrace.Open(client.Mount.DeviceMinor), null);
        }
        catch (FuseTransportException exception)
        {
            return new Explainer(client, null, exception.Message);
        }
    }

    /// <summary>Watches until the time is over or a cancellation ends it early; what was seen until then counts.</summary>
    /// <exception cref="FuseTransportException">The mount ended before anything was seen, or somebody else watches it.</exception>
    public async Task<Explanation> Watch(TimeSpan duration, CancellationToken cancellationToken)
    {
        long started = Stopwatch.GetTimestamp();
        MountStats stats = await _client.Stats(CancellationToken.None).ConfigureAwait(false);
        _servers.UnionWith(ThreadsOf(stats.Pid));
        try
        {
            for (int window = 0; Stopwatch.GetElapsedTime(started) < duration && !cancellationToken.IsCancellationRequested; window++)
            {
                TimeSpan left = duration - Stopwatch.GetElapsedTime(started);
                await Look(left < s_windowMax ? left : s_windowMax, window % 2 == 1, cancellationToken).ConfigureAwait(false);
            }
        }
        catch (FuseTransportException) when (_recorded > 0)
        {
            // The mount has ended; what was seen of it is worth telling.
            cancellationToken = CancellationToken.None;
        }

        return new Explanation
        {
            Mount = stats.Description,
            Watched = Stopwatch.GetElapsedTime(started),
            Recorded = _recorded,
            KernelProblem = _kernelProblem,
            Opcodes = _tally.Explain(),
        };
    }

    /// <summary>Detaches: the daemon stamps no more, and the kernel's instance is gone.</summary>
    public void Dispose()
    {
        _trace?.Dispose();
        _client.Dispose();
    }

    private async Task Look(TimeSpan limit, bool atCallers, CancellationToken cancellationToken)
    {
        _trace?.Watch([.. _servers, .. _callers], atCallers ? _callers : []);
        _trace?.Begin();
        await _client.Start(CancellationToken.None).ConfigureAwait(false);
        await AwaitRequests(limit, cancellationToken).ConfigureAwait(false);
        StageRecord[] records = await _client.Stop(CancellationToken.None).ConfigureAwait(false);
        TraceIndex? trace = _trace is null ? null : new TraceIndex(_trace.End());
        _recorded += records.Length;
        StageTimes[] joined = [.. StageJoin.Join(records, trace)];
        if (trace is not null && joined.Length == 0 && records.Length > 0)
        {
            // A kernel that traces a request before it numbers it, or another namespace's view of either.
            _kernelProblem ??= "the kernel's tracepoints name none of the daemon's requests; Linux 6.18 is known to name them";
            joined = [.. StageJoin.Join(records, null)];
        }

        bool isSlowed = atCallers && records.Length > SlowWindowRequests;
        foreach (StageTimes times in joined)
        {
            _tally.Add(in times, stage => !isSlowed || IsCallers(stage));
        }

        if (trace is not null && records.Length > 0)
        {
            _servers.UnionWith(records.Select(record => record.ReceivedBy));
            _callers = [.. trace.Senders.Take(KernelTrace.ThreadsMax)];
        }
    }

    /// <summary>
    /// All threads of the daemon: one that has served nothing yet may be woken in the next window, and its wake-up would be missing there.
    /// </summary>
    private static IEnumerable<int> ThreadsOf(int pid)
    {
        string tasks = $"/proc/{pid}/task";
        return Directory.Exists(tasks)
            ? Directory.GetDirectories(tasks).Select(task => int.Parse(Path.GetFileName(task), CultureInfo.InvariantCulture))
            : [];
    }

    private static bool IsCallers(Stage stage) => stage is Stage.SystemCall or Stage.CallerWakeUp or Stage.Return;

    private async Task AwaitRequests(TimeSpan limit, CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(s_lookAgain);
        long started = Stopwatch.GetTimestamp();
        try
        {
            while (Stopwatch.GetElapsedTime(started) < limit && await timer.WaitForNextTickAsync(cancellationToken).ConfigureAwait(false) &&
                await _client.Recorded(cancellationToken).ConfigureAwait(false) < WindowRequests)
            {
                // Another look.
            }
        }
        catch (OperationCanceledException)
        {
            // The window ends early, and is looked at all the same.
            limit = TimeSpan.Zero;
        }
    }
}
