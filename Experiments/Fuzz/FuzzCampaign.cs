using System.Diagnostics;
using System.Runtime.ExceptionServices;
using FsCheck;
using FsCheck.Fluent;
using Harness.FuseProtocol;

namespace Harness.Experiments.Fuzz;

/// <summary>
/// Sends a session what no kernel should, and looks for crashes, hangs, memory touched that is not the message's or the reply's, and
/// requests that are not answered, answered twice, or answered with what the kernel would refuse.
/// </summary>
public static class FuzzCampaign
{
    /// <summary>Time without a script finished after which the campaign counts as hung.</summary>
    private const int HangSecondsMax = 60;

    private const int ProgressSeconds = 5;
    private const int SampleSize = 30;

    /// <summary>Runs scripts until <paramref name="messages"/> messages have been delivered, or one shows a failure.</summary>
    /// <param name="messages">How many; the last script may go a little beyond.</param>
    /// <param name="seed">Decides every script: the same seed finds the same failure, in the same script.</param>
    /// <param name="progress">Gets a line every few seconds.</param>
    /// <returns>What was done and found. Reading beyond a buffer does not return: it ends the process.</returns>
    /// <exception cref="TimeoutException">A script does not end; the message names it.</exception>
    public static FuzzReport Run(long messages, ulong seed, TextWriter progress) =>
        Run(messages, seed, progress, static (files, observer) => new FuseSession(files, new SessionOptions { MaxWrite = 8192 }, observer));

    /// <summary>As above, with something else under test.</summary>
    internal static FuzzReport Run(
        long messages, ulong seed, TextWriter progress, Func<IFileSystem, IFuseObserver, IRequestHandler> makeHandler)
    {
        var worker = new Worker(messages, seed, makeHandler);
        var thread = new Thread(worker.Work) { IsBackground = true, Name = "fuzz" };
        long lastScript = -1;
        var stalled = Stopwatch.StartNew();
        thread.Start();
        while (!thread.Join(TimeSpan.FromSeconds(ProgressSeconds)))
        {
            long script = worker.Script;
            progress.WriteLine($"fuzz: seed {seed}, {worker.Counts.Messages} of {messages} messages, script {script}");
            if (script != lastScript)
            {
                lastScript = script;
                stalled.Restart();
            }
            else if (stalled.Elapsed.TotalSeconds > HangSecondsMax)
            {
                throw new TimeoutException($"seed {seed}, script {script} does not end: {Generate(seed, script)}");
            }
        }

        worker.Error?.Throw();
        return new FuzzReport(seed, worker.Script, worker.Counts, worker.Failure);
    }

    /// <summary>One script of a campaign.</summary>
    internal static FuzzScript Generate(ulong seed, long script) =>
        FuzzGenerators.Script.Sample(SampleSize, new Rnd(seed + (ulong)script), 1)[0];

    /// <summary>The thread that runs the scripts, and what it has come to.</summary>
    private sealed class Worker(long messages, ulong seed, Func<IFileSystem, IFuseObserver, IRequestHandler> makeHandler)
    {
        private long _script;

        public long Script => Volatile.Read(ref _script);

        public FuzzCounts Counts { get; } = new();

        public string? Failure { get; private set; }

        public ExceptionDispatchInfo? Error { get; private set; }

        public void Work()
        {
            try
            {
                while (Counts.Messages < messages && Failure is null)
                {
                    FuzzScript script = Generate(seed, _script);
                    if (FuzzRun.Execute(script, Counts, makeHandler) is string failure)
                    {
                        (FuzzScript smallest, string reason) = Shrink(script, failure);
                        Failure = $"script {_script}: {reason}\n{smallest}";
                    }

                    Interlocked.Increment(ref _script);
                }
            }
#pragma warning disable CA1031 // It is thrown again on the thread that called Run.
            catch (Exception exception)
#pragma warning restore CA1031
            {
                Error = ExceptionDispatchInfo.Capture(
                    new InvalidOperationException($"seed {seed}, script {_script} threw: {exception.Message}", exception));
            }
        }

        /// <summary>Leaves out messages, in pieces that halve, as long as the script still fails.</summary>
        private (FuzzScript Script, string Reason) Shrink(FuzzScript script, string reason)
        {
            for (int piece = script.Steps.Count / 2; piece > 0; piece /= 2)
            {
                for (int first = 0; first + piece <= script.Steps.Count;)
                {
                    FuzzScript smaller = script.Without(first, piece);
                    if (FuzzRun.Execute(smaller, new FuzzCounts(), makeHandler) is string still)
                    {
                        (script, reason) = (smaller, still);
                    }
                    else
                    {
                        first += piece;
                    }
                }
            }

            return (script, reason);
        }
    }
}
