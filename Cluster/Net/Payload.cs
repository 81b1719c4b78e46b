namespace Harness.Cluster.Net;

/// <summary>Bytes to send behind a frame's body.</summary>
/// <param name="Bytes">The bytes; the sender must not change them before they are sent.</param>
/// <param name="Owner">A pooled buffer that holds them; one reference to it passes to the connection, which releases it. Null if the memory
/// outlives the sending by other means.</param>
/// <param name="Crc">CRC32C of the bytes, if it is known.</param>
internal readonly record struct Payload(ReadOnlyMemory<byte> Bytes, PayloadBuffer? Owner = null, uint? Crc = null)
{
    /// <summary>No bytes.</summary>
    public static Payload None => default;

    /// <summary>Gives up what a refused send has not taken over.</summary>
    public void Release() => Owner?.Release();
}
