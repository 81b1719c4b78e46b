using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Harness.FuseProtocol;
using Harness.FuseProtocol.Tracing;
using Harness.FuseProtocol.Wire;
using Mono.Unix.Native;

namespace Harness.Experiments.Fuzz;

/// <summary>Delivers a script to a session of its own and looks at what comes back.</summary>
/// <remarks>Runs on one thread, and so the same script always runs the same way.</remarks>
internal sealed class FuzzRun : IFuseObserver, IDisposable
{
    /// <summary>Largest data of a message; longer ones are not accepted by the channel.</summary>
    private const int DataBytes = 8192;

    private readonly FuzzFileSystem _files = new();
    private readonly FakeChannel _channel;
    private readonly IRequestHandler _handler;
    private readonly FuzzScript _script;
    private readonly FuzzCounts _counts;
    private readonly List<(FakeRequest Slot, uint Asked)> _out = [];

    private FuzzRun(FuzzScript script, FuzzCounts counts, Func<IFileSystem, IFuseObserver, IRequestHandler> makeHandler)
    {
        _script = script;
        _counts = counts;
        // The trace reads every message too, and writes it to nowhere.
        _handler = makeHandler(_files, ObserverSet.Of(this, new FuseTrace(TextWriter.Null))!);
        _channel = new FakeChannel(_handler, script.Shape, DataBytes);
    }

    /// <summary>Runs a script.</summary>
    /// <param name="script">What to deliver.</param>
    /// <param name="counts">What is counted on.</param>
    /// <param name="makeHandler">Makes what is under test.</param>
    /// <returns>What is wrong with it; null if nothing is.</returns>
    public static string? Execute(FuzzScript script, FuzzCounts counts, Func<IFileSystem, IFuseObserver, IRequestHandler> makeHandler)
    {
        using var run = new FuzzRun(script, counts, makeHandler);
        return run.Execute();
    }

    /// <inheritdoc/>
    public void Received(FuseRequest request)
    {
    }

    /// <inheritdoc/>
    public void Replied(FuseRequest request, Errno error, ReadOnlySpan<byte> payload)
    {
    }

    /// <inheritdoc/>
    public void Refused(in InHeader header, string reason) => _counts.Refused++;

    /// <inheritdoc/>
    public void Faulted(in InHeader header, Exception exception)
    {
        _counts.Faults++;
        bool onPurpose = exception is FuzzException || exception.Message.StartsWith("The file system says", StringComparison.Ordinal);
        if (!onPurpose)
        {
            _files.Failures.Add($"{header.Opcode} threw: {exception}");
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _channel.Dispose();

    private string? Execute()
    {
        for (int i = 0; i < _script.Steps.Count && _files.Failures.Count == 0; i++)
        {
            Deliver(_script.Steps[i], i);
        }

        _files.FinishAll();
        CheckEnded(all: true);
        (_handler as FuseSession)?.Stop();
        foreach (FakeRequest slot in _channel.Slots.Where(slot => !slot.IsIntact))
        {
            _files.Failures.Add($"memory outside of the buffers of {slot.Header.Opcode} was written");
        }

        _counts.Calls += _files.Calls;
        _counts.Waits += _files.Waits;
        return _files.Failures.FirstOrDefault();
    }

    private void Deliver(FuzzStep step, int index)
    {
        byte[] message = Number(step, index);
        FakeRequest slot = _channel.Take();
        _files.Step = step;
        _files.Slot = slot;
        if (!_channel.TryDeliver(message, slot))
        {
            _counts.NotMessages++;
            return;
        }

        _counts.Messages++;
        _channel.Agreed = _files.Agreed?.Flags ?? InitFlags.None;
        _out.Add((slot, Asked(message)));
        for (int i = 0; i < step.Finish; i++)
        {
            _files.Finish(step.Chance);
        }

        CheckEnded(all: false);
    }

    /// <summary>Gives a message the number that a kernel would.</summary>
    private static byte[] Number(FuzzStep step, int index)
    {
        const int UniqueOffset = 8;
        byte[] message = [.. step.Message];
        if (message.Length < InHeader.Size || step.KeepsUnique)
        {
            return message;
        }

        ulong unique = (ulong)(index + 1) * 2;
        bool interrupts = MemoryMarshal.Read<InHeader>(message).Opcode == Opcode.Interrupt && message.Length >= InHeader.Size + sizeof(ulong);
        if (interrupts && step.Back >= 0)
        {
            ulong target = (ulong)Math.Max(0, index - step.Back) * 2;
            BinaryPrimitives.WriteUInt64LittleEndian(message.AsSpan(InHeader.Size), target);
            unique = target | 1;
        }

        BinaryPrimitives.WriteUInt64LittleEndian(message.AsSpan(UniqueOffset), unique);
        return message;
    }

    /// <summary>Looks at every answer that has come since, and at the end also at what has none.</summary>
    private void CheckEnded(bool all)
    {
        for (int i = _out.Count - 1; i >= 0; i--)
        {
            (FakeRequest slot, uint asked) = _out[i];
            if (slot.IsEnded || all)
            {
                Check(slot, asked);
                _out.RemoveAt(i);
            }
        }
    }

    private void Check(FakeRequest slot, uint asked)
    {
        Opcode opcode = slot.Header.Opcode;
        bool takesReply = OpcodeTable.TakesReply(opcode);
        bool once = opcode == Opcode.Interrupt
            ? slot.Replies + slot.Completions == 1
            : (slot.Replies, slot.Completions) == (takesReply ? (1, 0) : (0, 1));
        if (!once)
        {
            _files.Failures.Add($"{opcode} was answered {slot.Replies} times and ended {slot.Completions} times");
        }

        if (slot.Replies > 0)
        {
            _counts.Replies++;
            _counts.Errors += slot.Error == Errnos.Ok ? 0 : 1;
            (int least, int most) = slot.Error == Errnos.Ok ? ReplySizes.Of(opcode, asked) : (0, 0);
            if (slot.ReplyLength < least || slot.ReplyLength > most)
            {
                _files.Failures.Add($"{opcode} was answered {slot.Error} with {slot.ReplyLength} bytes, where the kernel takes {least} to {most}");
            }
        }
    }

    /// <summary>The size that the message asks for; where it stands depends on the opcode.</summary>
    private static uint Asked(ReadOnlySpan<byte> message)
    {
        int offset = MemoryMarshal.Read<InHeader>(message).Opcode switch
        {
            Opcode.Read or Opcode.Readdir or Opcode.Readdirplus => (int)Marshal.OffsetOf<ReadIn>(nameof(ReadIn.Size)),
            Opcode.Ioctl => (int)Marshal.OffsetOf<IoctlIn>(nameof(IoctlIn.OutSize)),
            Opcode.Getxattr or Opcode.Listxattr => 0,
            _ => -1,
        };
        return offset >= 0 && MemoryMarshal.TryRead(message[Math.Min(message.Length, InHeader.Size + offset)..], out uint asked) ? asked : 0;
    }
}
