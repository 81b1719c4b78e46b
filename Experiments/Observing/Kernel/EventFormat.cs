using System.Buffers.Binary;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Harness.Experiments.Observing.Kernel;

/// <summary>Where the fields of a tracepoint's record lie, as its <c>format</c> file says.</summary>
internal sealed partial class EventFormat
{
    private readonly KernelEventKind _kind;
    private readonly Field _thread;
    private readonly Field? _unique;

    private EventFormat(KernelEventKind kind, int id, Field thread, Field? unique)
    {
        _kind = kind;
        Id = id;
        _thread = thread;
        _unique = unique;
    }

    /// <summary>The number by which records name the tracepoint, on this boot of this kernel.</summary>
    public int Id { get; }

    /// <summary>Reads a <c>format</c> file.</summary>
    /// <param name="kind">What the tracepoint tells.</param>
    /// <param name="text">The file.</param>
    /// <exception cref="FormatException">A field is missing: the kernel has another tracepoint of this name.</exception>
    public static EventFormat Parse(KernelEventKind kind, string text)
    {
        Match id = IdLine().Match(text);
        Dictionary<string, Field> fields = FieldLine().Matches(text).ToDictionary(
            match => match.Groups[1].Value, match => new Field(Number(match.Groups[2]), Number(match.Groups[3])));
        Field Need(string name) => fields.TryGetValue(name, out Field field) && field.Size is 2 or 4 or 8
            ? field
            : throw new FormatException($"The kernel's tracepoint for {kind} has no field {name}.");
        if (!id.Success)
        {
            throw new FormatException($"The kernel's tracepoint for {kind} has no ID.");
        }

        bool isRequest = kind is KernelEventKind.RequestSend or KernelEventKind.RequestEnd;
        return new EventFormat(
            kind, Number(id.Groups[1]), Need(kind == KernelEventKind.SwitchIn ? "next_pid" : "common_pid"), isRequest ? Need("unique") : null);
    }

    /// <summary>Reads a record.</summary>
    /// <returns>False if it is too short.</returns>
    public bool TryRead(long time, ReadOnlySpan<byte> data, out KernelEvent read)
    {
        read = default;
        if (data.Length < _thread.End || data.Length < (_unique?.End ?? 0))
        {
            return false;
        }

        read = new KernelEvent(time, _kind, (int)_thread.Read(data), _unique?.Read(data) ?? 0);
        return true;
    }

    private static int Number(Group group) => int.Parse(group.ValueSpan, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"^ID:\s*(\d+)", RegexOptions.Multiline)]
    private static partial Regex IdLine();

    [GeneratedRegex(@"field:[^;]*?(\w+)(?:\[\d+\])?;\s*offset:(\d+);\s*size:(\d+);")]
    private static partial Regex FieldLine();

    private readonly record struct Field(int Offset, int Size)
    {
        public int End => Offset + Size;

        public ulong Read(ReadOnlySpan<byte> data) => Size switch
        {
            2 => BinaryPrimitives.ReadUInt16LittleEndian(data[Offset..]),
            4 => BinaryPrimitives.ReadUInt32LittleEndian(data[Offset..]),
            _ => BinaryPrimitives.ReadUInt64LittleEndian(data[Offset..]),
        };
    }
}
