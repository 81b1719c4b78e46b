using System.Diagnostics.CodeAnalysis;
using Harness.FuseProtocol;
using Mono.Unix.Native;

namespace Harness.Cluster.Checking;

/// <summary>What each name of some directories stands for; 0 where there is none.</summary>
internal sealed class NamesState(ulong[] names) : IEquatable<NamesState>
{
    /// <summary>What a name stands for.</summary>
    public ulong this[int slot] => names[slot];

    /// <summary>Whether something has a name.</summary>
    public bool Has(ulong identity) => names.AsSpan().Contains(identity);

    /// <summary>With a name standing for something else.</summary>
    public NamesState With(int slot, ulong identity)
    {
        ulong[] changed = [.. names];
        changed[slot] = identity;
        return new NamesState(changed);
    }

    /// <inheritdoc/>
    public bool Equals(NamesState? other) => other is not null && names.AsSpan().SequenceEqual(other.Names);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as NamesState);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = new HashCode();
        foreach (ulong one in names)
        {
            hash.Add(one);
        }

        return hash.ToHashCode();
    }

    private ReadOnlySpan<ulong> Names => names;
}

/// <summary>Names in some directories, as POSIX has them. Directories below these stay empty.</summary>
/// <param name="directories">How many directories the world has.</param>
/// <param name="names">How many names there are in each.</param>
/// <param name="known">Whatever was made by a call that was answered.</param>
internal sealed class NamesModel(int directories, int names, IReadOnlySet<ulong> known) : IModel<NamesState>
{
    /// <inheritdoc/>
    public NamesState Initial { get; } = new(new ulong[directories * names]);

    /// <inheritdoc/>
    public bool TryStep(NamesState state, Call call, [MaybeNullWhen(false)] out NamesState next)
    {
        int slot = ((int)call.Subject * names) + call.First;
        ulong there = state[slot];
        next = state;
        switch (call.Kind)
        {
            case OperationKind.Create or OperationKind.MakeDirectory:
                next = there == 0 ? state.With(slot, call.IsOpen ? call.IdentityIfOpen : call.Identity) : state;
                return Answers(call, there == 0 ? Errnos.Ok : Errno.EEXIST);
            case OperationKind.LookUp:
                return call.IsOpen || (call.IsOk ? IsSame(there, call.Identity) : call.Error == Errno.ENOENT && there == 0);
            case OperationKind.Unlink:
                next = IsFile(there) ? state.With(slot, 0) : state;
                return Answers(call, there == 0 ? Errno.ENOENT : IsFile(there) ? Errnos.Ok : Errno.EISDIR);
            case OperationKind.RemoveDirectory:
                next = IsDirectory(there) ? state.With(slot, 0) : state;
                return Answers(call, there == 0 ? Errno.ENOENT : IsFile(there) ? Errno.ENOTDIR : Errnos.Ok);
            case OperationKind.Rename:
                Errno renamed = Rename(state, slot, ((int)call.OtherSubject * names) + call.OtherName, out next);
                return Answers(call, renamed);
            case OperationKind.Link:
                return Link(state, call, slot, out next);
            case OperationKind.List:
                return call.IsOpen || Enumerable.Range(0, names).All(name => IsSame(state[((int)call.Subject * names) + name], call.Seen[name]));
            default:
                return true;
        }
    }

    private static Errno Rename(NamesState state, int from, int to, out NamesState next)
    {
        (ulong source, ulong target) = (state[from], state[to]);
        next = state;
        Errno error = source == 0 ? Errno.ENOENT
            : source == target || target == 0 ? Errnos.Ok
            : IsFile(source) && IsDirectory(target) ? Errno.EISDIR
            : IsDirectory(source) && IsFile(target) ? Errno.ENOTDIR
            : Errnos.Ok;
        if (error == Errnos.Ok && source != target)
        {
            next = state.With(to, source).With(from, 0);
        }

        return error;
    }

    /// <summary>A file that has lost its last name gets none any more; of one whose name nobody knows, either may be true.</summary>
    private static bool Link(NamesState state, Call call, int slot, out NamesState next)
    {
        bool isFree = state[slot] == 0;
        bool lives = state.Has(call.Identity);
        next = isFree && lives ? state.With(slot, call.Identity) : state;
        return call.IsOpen || (call.Error switch
        {
            Errnos.Ok => isFree && lives,
            Errno.EEXIST => !isFree,
            Errno.ENOENT or Errno.ESTALE => !lives,
            _ => false,
        });
    }

    private static bool Answers(Call call, Errno error) => call.IsOpen || call.Error == error;

    /// <summary>What was made by a call without an answer is known by its number only when it is seen.</summary>
    private bool IsSame(ulong there, ulong seen) =>
        there == seen || (there >> 63 != 0 && seen != 0 && (there & 1) == (seen & 1) && !known.Contains(seen));

    private static bool IsDirectory(ulong identity) => identity != 0 && (identity & 1) != 0;

    private static bool IsFile(ulong identity) => identity != 0 && (identity & 1) == 0;
}
