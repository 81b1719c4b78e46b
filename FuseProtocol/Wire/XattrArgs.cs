using System.Runtime.InteropServices;

namespace Harness.FuseProtocol.Wire;

/// <summary>SETXATTR; name and value follow. Ends after <see cref="Flags"/> (8 bytes) unless SETXATTR_EXT was negotiated.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct SetxattrIn
{
    public uint Size;
    public uint Flags;
    public SetxattrExtFlags SetxattrFlags;
    public uint Padding;
}

/// <summary>GETXATTR and LISTXATTR; size 0 asks for the size needed.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct GetxattrIn
{
    public uint Size;
    public uint Padding;
}

/// <summary>A security context; its name and value follow.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct Secctx
{
    public uint Size;
    public uint Padding;
}

/// <summary>Stands before the security contexts of a request.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct SecctxHeader
{
    public uint Size;
    public uint NrSecctx;
}

/// <summary>Stands before each extension; <see cref="Size"/> counts this header too.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct ExtHeader
{
    public uint Size;
    public uint Type;
}
