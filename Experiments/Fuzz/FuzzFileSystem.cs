using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;
using Mono.Unix.Native;

namespace Harness.Experiments.Fuzz;

/// <summary>
/// Takes every call, looks whether the memory it is given is what it should be, and answers as <see cref="Step"/> says. Keeps no files: what
/// is under test is how requests become calls, and calls replies.
/// </summary>
internal sealed partial class FuzzFileSystem : IFileSystem
{
    private readonly List<TaskCompletionSource> _waiting = [];

    /// <summary>What went wrong so far.</summary>
    public List<string> Failures { get; } = [];

    /// <summary>The message that is being handled.</summary>
    public FuzzStep Step { get; set; } = new([], false, -1, FuzzMood.Answer, 0, 0);

    /// <summary>The slot that it is in.</summary>
    public FakeRequest Slot { get; set; } = null!;

    /// <summary>What was agreed; null before INIT.</summary>
    public NegotiatedInit? Agreed { get; private set; }

    /// <summary>Calls so far.</summary>
    public long Calls { get; private set; }

    /// <summary>Calls that did not answer at once.</summary>
    public long Waits { get; private set; }

    /// <inheritdoc/>
    public InitFlags Capabilities => InitFlags.SetxattrExt | InitFlags.SecurityCtx | InitFlags.CreateSuppGroup;

    /// <inheritdoc/>
    public void Start(NegotiatedInit init)
    {
        if (Step.Mood == FuzzMood.Throw)
        {
            throw new FuzzException();
        }

        Agreed = init;
    }

    /// <summary>Finishes one of the calls that wait, if any does.</summary>
    public void Finish(int chance)
    {
        if (_waiting.Count > 0)
        {
            int index = chance % _waiting.Count;
            TaskCompletionSource gate = _waiting[index];
            _waiting.RemoveAt(index);
            gate.TrySetResult();
        }
    }

    /// <summary>Finishes every call that waits.</summary>
    public void FinishAll()
    {
        while (_waiting.Count > 0)
        {
            Finish(0);
        }
    }

    private ValueTask<Errno> Done(RequestContext context, params ReadOnlySpan<ReadOnlyMemory<byte>> inputs) =>
        Act(context, Errnos.Ok, Errno.EACCES, inputs);

    private ValueTask<Result<T>> Answer<T>(RequestContext context, T value, params ReadOnlySpan<ReadOnlyMemory<byte>> inputs) =>
        Act<Result<T>>(context, value, Errno.EACCES, inputs);

    /// <summary>Fills as much of a buffer as chance wants, or says so.</summary>
    private ValueTask<Result<int>> Fill(RequestContext context, Memory<byte> buffer, params ReadOnlySpan<ReadOnlyMemory<byte>> copies)
    {
        Check(Slot.HoldsReply(buffer), "a buffer lies outside of the reply");
        int length = Step.Mood == FuzzMood.Overstate ? buffer.Length + 1 + (Step.Chance % 5000) : Step.Chance % (buffer.Length + 1);
        return Act<Result<int>>(context, length, Errno.EACCES, [], buffer, copies);
    }

    private ValueTask<T> Act<T>(RequestContext context, T success, T failure, params ReadOnlySpan<ReadOnlyMemory<byte>> inputs)
    {
        foreach (ReadOnlyMemory<byte> input in inputs)
        {
            Check(Slot.HoldsInput(input), "an input lies outside of its message");
        }

        return Act(context, success, failure, inputs, Memory<byte>.Empty, []);
    }

    /// <param name="context">Who asks.</param>
    /// <param name="success">The answer of a call that succeeds.</param>
    /// <param name="failure">The answer of a call that fails.</param>
    /// <param name="inputs">Parts of the message that must stay as they are until the call is answered.</param>
    /// <param name="buffer">A part of the reply that may be written at any time.</param>
    /// <param name="copies">What must stay as it is even when the buffer is written.</param>
    private ValueTask<T> Act<T>(
        RequestContext context,
        T success,
        T failure,
        ReadOnlySpan<ReadOnlyMemory<byte>> inputs,
        Memory<byte> buffer,
        ReadOnlySpan<ReadOnlyMemory<byte>> copies)
    {
        Calls++;
        ReadExtensions(context);
        ReadOnlyMemory<byte>[] kept = [.. inputs, .. copies];
        byte[][] contents = [.. kept.Select(memory => memory.ToArray())];
        switch (Step.Mood)
        {
            case FuzzMood.Fail:
                return new ValueTask<T>(failure);
            case FuzzMood.Throw:
                throw new FuzzException();
            case FuzzMood.ThrowInTask:
                return ValueTask.FromException<T>(new FuzzException());
            case FuzzMood.Wait or FuzzMood.WaitAndThrow:
                return Wait(context, success, Step.Mood == FuzzMood.WaitAndThrow, buffer, kept, contents);
            default:
                buffer.Span.Fill((byte)Step.Chance);
                CheckKept(kept, contents);
                return new ValueTask<T>(success);
        }
    }

    private async ValueTask<T> Wait<T>(
        RequestContext context, T success, bool fails, Memory<byte> buffer, ReadOnlyMemory<byte>[] kept, byte[][] contents)
    {
        Waits++;
        var gate = new TaskCompletionSource();
        _waiting.Add(gate);
        CancellationToken interrupted = context.Interrupted;
        using (interrupted.Register(() => Interrupt(gate, interrupted)))
        {
            await gate.Task;
        }

        buffer.Span.Fill(0x5A);
        CheckKept(kept, contents);
        return fails ? throw new FuzzException() : success;
    }

    private void Interrupt(TaskCompletionSource gate, CancellationToken interrupted)
    {
        _waiting.Remove(gate);
        gate.TrySetCanceled(interrupted);
    }

    private void CheckKept(ReadOnlyMemory<byte>[] kept, byte[][] contents)
    {
        for (int i = 0; i < kept.Length; i++)
        {
            Check(kept[i].Span.SequenceEqual(contents[i]), "an input changed before its call was answered");
        }
    }

    private void ReadExtensions(RequestContext context)
    {
        RequestExtensions extensions = context.Extensions;
        foreach (uint group in extensions.SupplementaryGroups)
        {
            _ = group;
        }

        if (extensions.TryGetSecurityContext(out ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value))
        {
            Check(name.Length > 0 && name.Length + value.Length <= Slot.Extensions.Length, "a security context is longer than its message");
        }
    }

    private void Check(bool holds, string otherwise)
    {
        if (!holds)
        {
            Failures.Add(otherwise);
        }
    }
}

/// <summary>What the file system under fuzzing throws on purpose.</summary>
internal sealed class FuzzException : Exception;
