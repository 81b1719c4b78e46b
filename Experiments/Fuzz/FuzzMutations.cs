using System.Buffers.Binary;
using FsCheck;
using FsCheck.Fluent;
using Harness.FuseProtocol.Wire;

namespace Harness.Experiments.Fuzz;

/// <summary>Changes messages into some that no kernel sends.</summary>
internal static class FuzzMutations
{
    private const int ChangesMax = 4;

    private static readonly ulong[] s_numbers =
    [
        0, 1, 7, 8, 40, 255, 4095, 4096, 65535, 65536, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF, 0x7FFF_FFFF_FFFF_FFFF, 0x8000_0000_0000_0000,
        0xFFFF_FFFF_FFFF_F000, ulong.MaxValue,
    ];

    /// <summary>A message with some of its bytes changed. Its length is mostly put right, since no channel accepts another.</summary>
    public static Gen<byte[]> Of(byte[] message) =>
        from mutated in OfBytes(message)
        from honest in Gen.Choose(0, 30)
        select honest == 0 ? mutated : WithLength(mutated);

    /// <summary>Any bytes with some of them changed, left out or added.</summary>
    public static Gen<byte[]> OfBytes(byte[] bytes) =>
        from changes in Gen.Choose(1, ChangesMax)
        from kinds in Gen.Choose(0, 6).ArrayOf(changes)
        from places in Gen.Choose(0, int.MaxValue - 1).ArrayOf(changes)
        from numbers in Gen.Elements(s_numbers).ArrayOf(changes)
        select Change(bytes, kinds, places, numbers);

    private static byte[] Change(byte[] bytes, int[] kinds, int[] places, ulong[] numbers)
    {
        var changed = new List<byte>(bytes);
        for (int i = 0; i < kinds.Length && changed.Count > 0; i++)
        {
            int place = places[i] % changed.Count;
            switch (kinds[i])
            {
                case 0:
                    changed[place] ^= (byte)(1 << (places[i] >> 8) % 8);
                    break;
                case 1:
                    changed[place] = (byte)numbers[i];
                    break;
                case 2:
                    Put(changed, place & ~3, BitConverter.GetBytes((uint)numbers[i]));
                    break;
                case 3:
                    Put(changed, place & ~7, BitConverter.GetBytes(numbers[i]));
                    break;
                case 4:
                    changed.RemoveRange(place, changed.Count - place);
                    break;
                case 5:
                    changed.RemoveRange(place, Math.Min(changed.Count - place, 1 + (int)(numbers[i] % 16)));
                    break;
                default:
                    changed.InsertRange(place, Enumerable.Repeat((byte)numbers[i], 1 + (places[i] >> 16) % 64));
                    break;
            }
        }

        return [.. changed];
    }

    private static void Put(List<byte> bytes, int place, byte[] number)
    {
        for (int i = 0; i < number.Length && place + i < bytes.Count; i++)
        {
            bytes[place + i] = number[i];
        }
    }

    private static byte[] WithLength(byte[] message)
    {
        if (message.Length >= InHeader.Size)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(message, (uint)message.Length);
        }

        return message;
    }
}
