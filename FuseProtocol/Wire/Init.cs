using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Harness.FuseProtocol.Wire;

/// <summary>INIT. Kernels before 7.36 end after <see cref="Flags"/>.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct InitIn
{
    public uint Major;
    public uint Minor;
    public uint MaxReadahead;
    public uint Flags;
    public uint Flags2;
    public InitInUnused Unused;
}

/// <summary>Answers INIT.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct InitOut
{
    public uint Major;
    public uint Minor;
    public uint MaxReadahead;
    public uint Flags;
    public ushort MaxBackground;
    public ushort CongestionThreshold;
    public uint MaxWrite;
    public uint TimeGran;
    public ushort MaxPages;
    public ushort MapAlignment;
    public uint Flags2;
    public uint MaxStackDepth;
    public ushort RequestTimeout;
    public InitOutUnused Unused;
}

/// <summary>INTERRUPT: the request that its caller no longer waits for.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct InterruptIn
{
    public ulong Unique;
}

/// <summary>Reserved space of <see cref="InitIn"/>.</summary>
[InlineArray(11)]
public struct InitInUnused
{
    private uint _element;
}

/// <summary>Reserved space of <see cref="InitOut"/>.</summary>
[InlineArray(11)]
public struct InitOutUnused
{
    private ushort _element;
}
