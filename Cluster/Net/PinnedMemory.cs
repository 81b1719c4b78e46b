using System.Runtime.InteropServices;

namespace Harness.Cluster.Net;

/// <summary>Memory that does not move and begins on a page's bound, for system calls to use as it is.</summary>
internal static class PinnedMemory
{
    private const int PageBytes = 4096;

    /// <summary>Allocates so many bytes, all zero.</summary>
    public static Memory<byte> Allocate(int length)
    {
        byte[] array = GC.AllocateArray<byte>(length + PageBytes, pinned: true);
        long address = Marshal.UnsafeAddrOfPinnedArrayElement(array, 0);
        int skip = (int)(-address & (PageBytes - 1));
        return MemoryMarshal.CreateFromPinnedArray(array, skip, length);
    }
}
