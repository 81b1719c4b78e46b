using System.Runtime.InteropServices;
using System.Text;
using Harness.FuseProtocol.Wire;

namespace Harness.Experiments.Fuzz;

/// <summary>Builds messages from the kernel.</summary>
internal static class FuseMessage
{
    /// <summary>A message without arguments.</summary>
    public static byte[] Build(Opcode opcode, ulong unique, ReadOnlySpan<byte> body = default, ulong nodeId = 1, int extensionBytes = 0)
    {
        var header = new InHeader
        {
            Len = (uint)(InHeader.Size + body.Length),
            Opcode = opcode,
            Unique = unique,
            NodeId = nodeId,
            Uid = 1000,
            Gid = 1001,
            Pid = 1234,
            TotalExtlen = (ushort)(extensionBytes / 8),
        };
        return [.. Bytes(in header), .. body];
    }

    /// <summary>A message with arguments, and what follows them.</summary>
    /// <param name="opcode">What it asks for.</param>
    /// <param name="unique">Its number.</param>
    /// <param name="args">The arguments.</param>
    /// <param name="payload">What follows, extensions and all.</param>
    /// <param name="nodeId">The node it is about.</param>
    /// <param name="extensionBytes">How much of the end is said to be extensions.</param>
    public static byte[] Build<T>(
        Opcode opcode, ulong unique, in T args, ReadOnlySpan<byte> payload = default, ulong nodeId = 1, int extensionBytes = 0)
        where T : unmanaged => Build(opcode, unique, [.. Bytes(in args), .. payload], nodeId, extensionBytes);

    /// <summary>INIT as a kernel of this minor version sends it.</summary>
    public static byte[] Init(uint minor, InitFlags offered, uint major = Protocol.Major, uint maxReadahead = 1 << 17)
    {
        var init = new InitIn
        {
            Major = major,
            Minor = minor,
            MaxReadahead = maxReadahead,
            Flags = (uint)offered,
            Flags2 = (uint)((ulong)offered >> 32),
        };
        // Kernels before 7.36 sent the first four fields only.
        ReadOnlySpan<byte> body = Bytes(in init);
        return Build(Opcode.Init, 2, minor < 36 ? body[..16] : body, nodeId: 0);
    }

    /// <summary>A name with its NUL.</summary>
    public static byte[] Name(string name) => [.. Encoding.UTF8.GetBytes(name), 0];

    /// <summary>The bytes of a wire struct.</summary>
    public static ReadOnlySpan<byte> Bytes<T>(in T value)
        where T : unmanaged => MemoryMarshal.AsBytes(new ReadOnlySpan<T>(in value));
}
