using System.Diagnostics;
using System.IO.Pipes;
using Harness.Experiments.Machine;
using Harness.Runtime;
using Harness.Runtime.Native;
using Microsoft.Win32.SafeHandles;

namespace Harness.Experiments.Calibration;

/// <summary>
/// Somebody on a CPU who sends back each byte that comes by a pipe: a thread of this process, or another process. A round to the one differs
/// from a round to the other by two changes of address space.
/// </summary>
internal sealed class PipePartner : IDisposable
{
    private const string Echo = "cat";

    private readonly NativeBuffer _byte = new(sizeof(long));
    private readonly PipeStream _to;
    private readonly PipeStream _from;
    private readonly Action _end;

    private PipePartner(PipeStream to, PipeStream from, Action end) => (_to, _from, _end) = (to, from, end);

    /// <summary>A process: cat(1).</summary>
    public static PipePartner Process(int cpu)
    {
        IReadOnlyList<string> commandLine = PinnedCommand.On(new CpuSet([cpu]), [Echo]);
        Process process = System.Diagnostics.Process.Start(new ProcessStartInfo(commandLine[0], commandLine.Skip(1))
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;
        return new PipePartner((PipeStream)process.StandardInput.BaseStream, (PipeStream)process.StandardOutput.BaseStream, () =>
        {
            process.StandardInput.Close();
            process.WaitForExit();
            process.Dispose();
        });
    }

    /// <summary>A thread.</summary>
    public static PipePartner Thread(int cpu)
    {
        var to = new AnonymousPipeServerStream(PipeDirection.Out);
        var from = new AnonymousPipeServerStream(PipeDirection.In);
        var thread = PinnedThread.Start(cpu, () =>
        {
            using var word = new NativeBuffer(sizeof(long));
            while (Call(Conformance.SystemCall.Read, to.ClientSafePipeHandle, word) > 0)
            {
                Call(Conformance.SystemCall.Write, from.ClientSafePipeHandle, word);
            }
        });
        return new PipePartner(to, from, () =>
        {
            // The partner's read ends when nobody can write any more.
            to.SafePipeHandle.Dispose();
            thread.Join();
            to.Dispose();
            from.Dispose();
        });
    }

    /// <summary>Sends a byte and waits for it to come back.</summary>
    public void Round()
    {
        Call(Conformance.SystemCall.Write, _to.SafePipeHandle, _byte);
        Call(Conformance.SystemCall.Read, _from.SafePipeHandle, _byte);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _end();
        ((IDisposable)_byte).Dispose();
    }

    private static long Call(long call, SafePipeHandle pipe, NativeBuffer buffer) =>
        Libc.Syscall(call, pipe.DangerousGetHandle(), buffer.Address, 1, 0, 0, 0);
}
