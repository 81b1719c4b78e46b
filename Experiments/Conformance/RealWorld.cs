using System.Diagnostics;
using System.Runtime.InteropServices;
using Harness.Experiments.Backends.Memory;
using Harness.Experiments.Mounting;
using Harness.Experiments.Plan;
using Harness.Runtime.Native;
using Harness.Transport;
using Harness.Transport.Mounting;

namespace Harness.Experiments.Conformance;

/// <summary>Runs scripts on a real mount of the memory backend.</summary>
internal static class RealWorld
{
    // At 100 ticks a second, the fewest that Linux can be built with.
    private static readonly TimeSpan s_tick = TimeSpan.FromMilliseconds(12);
    private static readonly TimeSpan s_settleMax = TimeSpan.FromSeconds(10);

    // In the kernel's queue up to 8 requests go before a FORGET that waits, and then it is the FORGET's turn (fs/fuse/dev.c,
    // fuse_dev_do_read, forget_batch). So with one reader nothing waits any more behind the tenth.
    private const int Fences = 10;

    /// <summary>Runs a script; each step is over when the kernel has no request left.</summary>
    /// <exception cref="FuseTransportException">This machine cannot mount.</exception>
    public static IReadOnlyList<StepRecord> Run(Script script)
    {
        if (RuntimeInformation.ProcessArchitecture != Architecture.X64)
        {
            throw new FuseTransportException("Conformance makes system calls by the numbers of x86-64; run it there.");
        }

        string directory = Directory.CreateTempSubdirectory("harness-conformance-").FullName;
        try
        {
            return Run(script, directory);
        }
        finally
        {
            Directory.Delete(directory);
        }
    }

    private static List<StepRecord> Run(Script script, string directory)
    {
        var spec = new MountSpec { Backend = new Backend(Backend.Memory, null), MountPoint = directory, Knobs = SimulatedWorld.Settled(script.Knobs) };
        using var fileSystem = new MemoryFileSystem(new MemoryOptions { Backend = spec.Options }, TimeProvider.System);
        var recorder = new MessageRecorder();
        using MountHost host = MountHost.Start(spec, fileSystem, recorder, recorder.CountBefore);
        uint connection = MountTable.Find(directory)?.DeviceMinor ?? 0;
        recorder.Take();
        var records = new List<StepRecord>();
        using (var application = new RealApplication(directory))
        {
            for (int i = 0; i < script.Steps.Count; i++)
            {
                ScriptStep step = script.Steps[i];
                if (spec.Knobs[Knobs.Writeback].Number == 1)
                {
                    // Whether two changes fall into one tick of the kernel's clock decides whether the second is one.
                    Task.Delay(s_tick).Wait(s_settleMax);
                }

                string outcome = "0";
                if (step.Name == "sleep")
                {
                    Task.Delay((int)step[0]).Wait(s_settleMax);
                }
                else
                {
                    outcome = application.Run(step, i);
                }

                Settle(connection, recorder, directory);
                (IReadOnlyList<ObservedMessage> messages, int inFlight) = recorder.Take();
                records.Add(new StepRecord(outcome, messages, inFlight));
            }
        }

        host.Stop();
        return records;
    }

    /// <summary>Waits until no request is under way, and by requests of its own until no forget is; both again while that brings forth more.</summary>
    private static void Settle(uint connection, MessageRecorder recorder, string directory)
    {
        using var memory = new NativeBuffer(8192);
        System.Text.Encoding.UTF8.GetBytes(directory, memory.GetSpan());
        recorder.IgnoresStatfs = true;
        int before;
        do
        {
            before = recorder.Count;
            AwaitNoneWaiting(connection);
            for (int i = 0; i < Fences; i++)
            {
                Libc.Syscall(SystemCall.Statfs, memory.Address, memory.Address + 4096, 0, 0, 0, 0);
            }
        }
        while (recorder.Count > before);
        recorder.IgnoresStatfs = false;
    }

    private static void AwaitNoneWaiting(uint connection)
    {
        long start = Stopwatch.GetTimestamp();
        var wait = new SpinWait();
        while (FuseControl.Waiting(connection) is > 0)
        {
            wait.SpinOnce();
            if (Stopwatch.GetElapsedTime(start) > s_settleMax)
            {
                throw new FuseTransportException($"The kernel still waits for an answer {s_settleMax.TotalSeconds} s after the call.");
            }
        }
    }
}
