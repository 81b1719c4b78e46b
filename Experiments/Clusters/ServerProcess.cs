using System.Runtime.InteropServices;
using Harness.Runtime.Native;

namespace Harness.Experiments.Clusters;

/// <summary>The life of a server's process: it serves until a signal asks it to end, or whoever started it has gone.</summary>
internal static class ServerProcess
{
    /// <summary>Makes the process a session of its own, if it shall outlive the terminal and the process that started it.</summary>
    public static void Begin(bool detached)
    {
        if (detached)
        {
            _ = Libc.SetSid();
        }
    }

    /// <summary>Waits for the end.</summary>
    /// <param name="endsWithInput">Whether the end of standard input ends it, which the process that started it holds the other end of.</param>
    public static async Task AwaitEnd(bool endsWithInput)
    {
        var stop = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        void OnSignal(PosixSignalContext context)
        {
            context.Cancel = true;
            stop.TrySetResult();
        }

        using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal);
        using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal);
        Task input = endsWithInput ? Console.OpenStandardInput().CopyToAsync(Stream.Null) : Task.Delay(Timeout.Infinite);
        await Task.WhenAny(stop.Task, input).ConfigureAwait(false);
    }
}
