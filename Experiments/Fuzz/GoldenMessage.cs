using System.Runtime.InteropServices;
using Harness.FuseProtocol.Wire;

namespace Harness.Experiments.Fuzz;

/// <summary>A message from the kernel, and a right answer to it, byte for byte.</summary>
/// <param name="Name">Tells it from others of its opcode.</param>
/// <param name="Request">The message, with its header.</param>
/// <param name="Reply">The answer, with its header; null where none is taken.</param>
internal sealed record GoldenMessage(string Name, byte[] Request, byte[]? Reply)
{
    /// <summary>What it asks for.</summary>
    public Opcode Opcode => MemoryMarshal.Read<InHeader>(Request).Opcode;

    /// <summary>Reads bytes written in hexadecimal, in groups as one likes, with a comment behind <c>#</c> on every line.</summary>
    public static GoldenMessage Parse(string name, string request, string? reply = null) =>
        new(name, ParseBytes(request), reply is null ? null : ParseBytes(reply));

    /// <inheritdoc/>
    public override string ToString() => Name;

    private static byte[] ParseBytes(string text)
    {
        IEnumerable<string> lines = text.Split('\n').Select(line => line.Split('#')[0].Replace(" ", string.Empty));
        return Convert.FromHexString(string.Concat(lines));
    }
}
