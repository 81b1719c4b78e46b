using System.Globalization;
using Harness.FuseProtocol;
using Mono.Unix.Native;

namespace Harness.Cluster.Checking;

/// <summary>One operation of a history: what was asked, when, and what was answered, if anything was.</summary>
/// <remarks>Data are counted in cells; all bytes of a cell are the same number, which no other write uses.</remarks>
internal sealed class Call
{
    /// <summary>A call that has not been answered.</summary>
    public const long Open = long.MaxValue;

    /// <summary>Cells of a block: what one block's history tells apart.</summary>
    public const int CellsPerBlock = 4;

    /// <summary>Bytes of a cell.</summary>
    public const int CellBytes = 1024;

    /// <summary>Its place in the history; the same of calls that stand for one operation.</summary>
    public required int Id { get; init; }

    /// <summary>Who called.</summary>
    public int Lane { get; init; }

    /// <summary>What was asked.</summary>
    public required OperationKind Kind { get; init; }

    /// <summary>The file's inode, the chunk, or the directory's place.</summary>
    public ulong Subject { get; init; }

    /// <summary>The first cell; of a truncation the size; the name's place.</summary>
    public int First { get; init; }

    /// <summary>How many cells.</summary>
    public int Count { get; init; }

    /// <summary>The directory that a rename leads to.</summary>
    public ulong OtherSubject { get; init; }

    /// <summary>The name that a rename leads to.</summary>
    public int OtherName { get; init; }

    /// <summary>What a write wrote.</summary>
    public ulong Value { get; init; }

    /// <summary>When it was asked.</summary>
    public required long InvokedNanoseconds { get; init; }

    /// <summary>When it was answered; <see cref="Open"/> if nobody knows what became of it.</summary>
    public long ReturnedNanoseconds { get; set; } = Open;

    /// <summary>The answer's error.</summary>
    public Errno Error { get; set; }

    /// <summary>What a read has seen; what a listing has seen, by name.</summary>
    public IReadOnlyList<ulong> Seen { get; set; } = [];

    /// <summary>Cells that a read has got, or the size.</summary>
    public int Cells { get; set; }

    /// <summary>What was made, found or linked: the inode number, doubled, and one more for a directory.</summary>
    public ulong Identity { get; set; }

    /// <summary>Whether nobody knows its outcome.</summary>
    public bool IsOpen => ReturnedNanoseconds == Open;

    /// <summary>Whether it was done.</summary>
    public bool IsOk => !IsOpen && Error == Errnos.Ok;

    /// <summary>What stands for a thing that was made by a call without an answer.</summary>
    public ulong IdentityIfOpen => (1UL << 63) | ((ulong)Id << 1) | (Kind == OperationKind.MakeDirectory ? 1u : 0);

    /// <inheritdoc/>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"[{InvokedNanoseconds / 1e9,11:F6} {Returned()}] #{Id,-3} lane {Lane}: {Asked()} → {Answered()}");

    /// <summary>What was asked, for people.</summary>
    public string Asked() => Kind switch
    {
        OperationKind.Write => $"write {Value} to cells {Range} of file {Subject}",
        OperationKind.Read => $"read cells {Range} of file {Subject}",
        OperationKind.Truncate => $"truncate file {Subject} to {First} cells",
        OperationKind.Punch => $"punch cells {Range} of file {Subject}",
        OperationKind.Size => $"size of file {Subject}",
        OperationKind.Sync => $"fsync file {Subject}",
        OperationKind.ChunkWrite => $"write {Value} to cells {Range} of chunk {Subject}",
        OperationKind.ChunkRead => $"read cells {Range} of chunk {Subject}",
        OperationKind.ChunkPunch => $"punch cells {Range} of chunk {Subject}",
        OperationKind.Rename => $"rename {Path(Subject, First)} {Path(OtherSubject, OtherName)}",
        OperationKind.Link => $"link {Identity >> 1} {Path(Subject, First)}",
        OperationKind.List => $"list d{Subject}",
        _ => string.Create(CultureInfo.InvariantCulture, $"{Kind} {Path(Subject, First)}").ToLowerInvariant(),
    };

    /// <summary>What was answered, for people.</summary>
    public string Answered() => IsOpen ? "no answer"
        : Error != Errnos.Ok ? Error.ToString()
        : Kind switch
        {
            OperationKind.Read or OperationKind.ChunkRead => $"{Cells}: {string.Join(' ', Seen)}",
            OperationKind.Size => $"{Cells} cells",
            OperationKind.List => string.Join(' ', Seen.Select(static (one, name) => one == 0 ? "-" : $"n{name}={one >> 1}")),
            OperationKind.Create or OperationKind.MakeDirectory or OperationKind.LookUp => $"{Identity >> 1}",
            _ => "ok",
        };

    private string Returned() => IsOpen ? "         …" : string.Create(CultureInfo.InvariantCulture, $"{ReturnedNanoseconds / 1e9,10:F6}");

    private string Range => $"{First}..{First + Count - 1}";

    private static string Path(ulong directory, int name) => $"d{directory}/n{name}";
}
