namespace Harness.Experiments.Conformance;

/// <summary>One system call of a script: its name and its arguments, checked when the script was read.</summary>
/// <param name="Call">One of <see cref="ScriptCalls"/>.</param>
/// <param name="Words">The arguments as they stand in the file.</param>
/// <param name="Numbers">Their numbers, sizes in bytes; 0 for what is none.</param>
internal sealed record ScriptStep(ScriptCall Call, IReadOnlyList<string> Words, IReadOnlyList<long> Numbers)
{
    /// <summary>The name of the call.</summary>
    public string Name => Call.Name;

    /// <summary>An argument's number.</summary>
    public long this[int index] => Numbers[index];

    /// <summary>The arguments behind the fixed ones: flags.</summary>
    public IEnumerable<string> Flags => Words.Skip(Call.Arguments.Count);

    /// <inheritdoc/>
    public override string ToString() => $"{Name} {string.Join(' ', Words)}";
}

/// <summary>What an argument of a script's call is.</summary>
internal enum ScriptArgument
{
    /// <summary>The name of an open file.</summary>
    Handle,

    /// <summary>A path below the mount.</summary>
    Name,

    /// <summary>Bytes, or any number, with K or M for 2¹⁰ and 2²⁰.</summary>
    Number,

    /// <summary>As <see cref="Number"/>, of bytes that are held in memory at once.</summary>
    Length,

    /// <summary>As <see cref="Number"/>, of operations or of milliseconds.</summary>
    Count,

    /// <summary>An octal mode.</summary>
    Mode,

    /// <summary>Any word, such as the name of an attribute.</summary>
    Word,
}

/// <summary>A call that scripts can make.</summary>
/// <param name="Name">As scripts write it.</param>
/// <param name="Arguments">What must follow.</param>
/// <param name="Flags">Words that may follow these.</param>
internal sealed record ScriptCall(string Name, IReadOnlyList<ScriptArgument> Arguments, IReadOnlyDictionary<string, long> Flags)
{
    /// <summary>The flags given, as one number.</summary>
    public long Combine(IEnumerable<string> words) => words.Aggregate(0L, (sum, word) => sum | Flags[word]);
}
