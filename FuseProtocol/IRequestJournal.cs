using Harness.FuseProtocol.Wire;
using Mono.Unix.Native;

namespace Harness.FuseProtocol;

/// <summary>
/// Remembers requests that must not run twice, beyond the life of this process, so that one which the kernel sends again (RESEND) to a
/// successor is answered as it was, or is known to have been begun. Thread-safe.
/// </summary>
/// <remarks>
/// An entry goes from <see cref="Begin"/>, before the file system gets the request, by <see cref="Record"/>, before the answer is sent, to
/// <see cref="End"/>, when the kernel has it. Requests are named by their number without <see cref="Protocol.UniqueResend"/>.
/// </remarks>
public interface IRequestJournal
{
    /// <summary>Makes an entry, with a note of 0.</summary>
    /// <returns>Its number.</returns>
    int Begin(in InHeader header);

    /// <summary>Finds the entry that a process before this one left of a request.</summary>
    /// <returns>Its number; −1 if there is none, which means that the request was not begun.</returns>
    int Find(ulong unique);

    /// <summary>The answer that was recorded for an entry.</summary>
    /// <returns>False if none was.</returns>
    bool TryGetAnswer(int entry, out Errno error, out ReadOnlySpan<byte> reply);

    /// <summary>Records an answer; at most <see cref="OnceOnly.ReplyBytesMax"/> bytes of payload.</summary>
    void Record(int entry, Errno error, ReadOnlySpan<byte> reply);

    /// <summary>Lets an entry go.</summary>
    void End(int entry);

    /// <summary>A word of the file system's own in an entry.</summary>
    ref ulong Note(int entry);
}
