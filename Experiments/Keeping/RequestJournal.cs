using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;
using Mono.Unix.Native;

namespace Harness.Experiments.Keeping;

/// <summary>The journal of requests that must not run twice, in memory that outlives the daemon.</summary>
/// <remarks>
/// A ring of entries of which each is free again when its request has been answered, so that its size bounds the requests in flight and not how
/// long an answer is remembered. A daemon that is killed between sending an answer and freeing its entry leaves one that no request comes
/// back for: those are freed when they are <see cref="OrphanAge"/> generations old, longer than any request can wait, since the supervisor
/// gives up after fewer deaths in a row.
/// </remarks>
internal sealed class RequestJournal : IRequestJournal
{
    /// <summary>Generations after which nobody can be waiting for an entry's request any more.</summary>
    public const uint OrphanAge = 16;

    private readonly KeptState _state;
    private readonly uint _generation;
    private readonly Dictionary<ulong, int> _inherited = [];

    /// <summary>Takes over what the daemons before this one have left.</summary>
    public RequestJournal(KeptState state)
    {
        _state = state;
        _generation = state.Header.Generation;
        Span<JournalEntry> entries = state.Journal;
        for (int i = 0; i < entries.Length; i++)
        {
            ref JournalEntry entry = ref entries[i];
            if (entry.State is JournalState.Begun or JournalState.Done && _generation - entry.Generation <= OrphanAge)
            {
                _inherited[entry.Unique] = i;
            }
            else if (entry.State != JournalState.Free)
            {
                entry.State = JournalState.Free;
            }
        }
    }

    /// <inheritdoc/>
    public int Begin(in InHeader header)
    {
        int index = Claim();
        ref JournalEntry entry = ref _state.Journal[index];
        entry.Unique = header.Unique & ~Protocol.UniqueResend;
        entry.Note = 0;
        entry.Opcode = header.Opcode;
        entry.Generation = _generation;
        Interlocked.Exchange(ref entry.State, JournalState.Begun);
        return index;
    }

    /// <inheritdoc/>
    public int Find(ulong unique) => _inherited.TryGetValue(unique, out int index) ? index : -1;

    /// <summary>Whether a daemon before this one began a request and did not carry it through.</summary>
    public bool IsUnfinished(ulong unique, out Opcode opcode)
    {
        int index = Find(unique);
        opcode = index >= 0 ? _state.Journal[index].Opcode : default;
        return index >= 0 && _state.Journal[index].State == JournalState.Begun;
    }

    /// <inheritdoc/>
    public bool TryGetAnswer(int entry, out Errno error, out ReadOnlySpan<byte> reply)
    {
        ref JournalEntry found = ref _state.Journal[entry];
        bool isDone = found.State == JournalState.Done;
        error = isDone ? (Errno)found.Error : Errnos.Ok;
        reply = isDone ? ((ReadOnlySpan<byte>)found.Reply)[..found.Length] : default;
        return isDone;
    }

    /// <inheritdoc/>
    public void Record(int entry, Errno error, ReadOnlySpan<byte> reply)
    {
        ref JournalEntry recorded = ref _state.Journal[entry];
        recorded.Error = (int)error;
        recorded.Length = reply.Length;
        reply.CopyTo(recorded.Reply);
        Interlocked.Exchange(ref recorded.State, JournalState.Done);
    }

    /// <inheritdoc/>
    public void End(int entry) => Interlocked.Exchange(ref _state.Journal[entry].State, JournalState.Free);

    /// <inheritdoc/>
    public ref ulong Note(int entry) => ref _state.Journal[entry].Note;

    private int Claim()
    {
        Span<JournalEntry> entries = _state.Journal;
        for (int tries = 0; tries < entries.Length; tries++)
        {
            int index = (int)((ulong)Interlocked.Increment(ref _state.Header.JournalHead) % (ulong)entries.Length);
            if (Interlocked.CompareExchange(ref entries[index].State, JournalState.Claimed, JournalState.Free) == JournalState.Free)
            {
                return index;
            }
        }

        throw new InvalidOperationException($"More than {entries.Length} requests that must not run twice are in flight.");
    }
}
