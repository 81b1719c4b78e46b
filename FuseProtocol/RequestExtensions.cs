using System.Runtime.InteropServices;
using Harness.FuseProtocol.Wire;

namespace Harness.FuseProtocol;

/// <summary>
/// Reads what stands behind the arguments of a request that creates: supplementary groups (CREATE_SUPP_GROUP) and security contexts
/// (SECURITY_CTX). Each extension is an <see cref="ExtHeader"/> and its data, padded to 8 bytes.
/// </summary>
public readonly ref struct RequestExtensions(ReadOnlySpan<byte> bytes)
{
    private readonly ReadOnlySpan<byte> _bytes = bytes;

    /// <summary>The groups besides the caller's own that the new file's directory may give it; empty where none was sent.</summary>
    public ReadOnlySpan<uint> SupplementaryGroups
    {
        get
        {
            if (!TryFind((uint)ExtType.Groups, (uint)ExtType.Groups, out _, out ReadOnlySpan<byte> body) || body.Length < sizeof(uint))
            {
                return default;
            }

            uint count = MemoryMarshal.Read<uint>(body);
            ReadOnlySpan<uint> groups = MemoryMarshal.Cast<byte, uint>(body[sizeof(uint)..]);
            return count <= groups.Length ? groups[..(int)count] : default;
        }
    }

    /// <summary>Reads the first security context.</summary>
    /// <param name="name">The attribute's name without its NUL, such as <c>security.selinux</c>.</param>
    /// <param name="value">The attribute's value.</param>
    /// <returns>False where none was sent, or where it is malformed.</returns>
    public bool TryGetSecurityContext(out ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value)
    {
        name = default;
        value = default;
        if (!TryFind(1, (uint)ExtType.MaxNrSecctx, out _, out ReadOnlySpan<byte> body) ||
            !MemoryMarshal.TryRead(body, out Secctx context))
        {
            return false;
        }

        ReadOnlySpan<byte> rest = body[8..];
        int nul = rest.IndexOf((byte)0);
        if (nul <= 0 || context.Size > rest.Length - nul - 1)
        {
            return false;
        }

        name = rest[..nul];
        value = rest.Slice(nul + 1, (int)context.Size);
        return true;
    }

    private bool TryFind(uint typeMin, uint typeMax, out uint type, out ReadOnlySpan<byte> body)
    {
        ReadOnlySpan<byte> rest = _bytes;
        while (MemoryMarshal.TryRead(rest, out ExtHeader header) && header.Size >= 8 && header.Size <= rest.Length)
        {
            if (header.Type >= typeMin && header.Type <= typeMax)
            {
                type = header.Type;
                body = rest[8..(int)header.Size];
                return true;
            }

            rest = rest[Math.Min(rest.Length, Protocol.Align((int)header.Size))..];
        }

        type = 0;
        body = default;
        return false;
    }
}
