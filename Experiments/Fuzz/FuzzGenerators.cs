using System.Runtime.InteropServices;
using FsCheck;
using FsCheck.Fluent;
using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;

namespace Harness.Experiments.Fuzz;

/// <summary>Scripts of messages: some as a kernel sends them, most not quite.</summary>
internal static class FuzzGenerators
{
    private const int StepsMax = 60;

    /// <summary>Numbers at which programs go wrong: around powers of two, and where signs turn.</summary>
    private static readonly uint[] s_edges =
    [
        0, 1, 2, 3, 7, 8, 15, 16, 31, 32, 33, 40, 63, 64, 127, 128, 255, 256, 4095, 4096, 4097, 65535, 65536, 65537, 0x7FFF_FFFF, 0x8000_0000,
        0x8000_0001, 0xFFFF_FFF8, 0xFFFF_FFFE, 0xFFFF_FFFF,
    ];

    private static readonly Opcode[] s_opcodes = Enum.GetValues<Opcode>();

    private static readonly Gen<uint> s_word = Gen.Frequency(
        (6, Gen.Elements(s_edges)),
        (3, Gen.Choose(0, 300).Select(number => (uint)number)),
        (2, Gen.Choose(int.MinValue, int.MaxValue).Select(number => (uint)number)));

    private static readonly Gen<byte[]> s_blob =
        from length in Gen.Frequency((8, Gen.Choose(0, 64)), (3, Gen.Choose(0, 600)), (1, Gen.Choose(0, 9000)))
        from seed in Gen.Choose(0, int.MaxValue - 1)
        select Noise(length, seed);

    private static readonly Gen<byte[]> s_name = Gen.Frequency(
        (6, Gen.Elements("a", "foo", "user.a", "a longer name.txt", "é").Select(System.Text.Encoding.UTF8.GetBytes)),
        (1, Gen.Elements("", ".", "..", "a/b", "/").Select(System.Text.Encoding.UTF8.GetBytes)),
        (1, Gen.Elements(255, 256, 1023, 1024, 4095, 4096).Select(length => Enumerable.Repeat((byte)'n', length).ToArray())),
        (1, s_blob));

    private static readonly Gen<byte[]> s_terminated =
        from name in s_name
        from ends in Gen.Choose(0, 11)
        select ends == 0 ? name : [.. name, (byte)0];

    // DESTROY ends the session, after which there is little left to find out.
    private static readonly Gen<byte[]> s_golden =
        Gen.Elements(GoldenMessages.All.Where(message => message.Opcode != Opcode.Destroy)).Select(message => message.Request);

    private static readonly Gen<byte[]> s_interrupt =
        from unique in Gen.Choose(0, 2 * StepsMax)
        select FuseMessage.Build(Opcode.Interrupt, (ulong)unique | 1, new InterruptIn { Unique = (ulong)unique }, nodeId: 0);

    private static readonly Gen<byte[]> s_init =
        from major in Gen.Frequency((8, Gen.Constant(7U)), (1, s_word))
        from minor in Gen.Frequency((8, Gen.Choose(29, 47).Select(number => (uint)number)), (1, s_word))
        from low in s_word
        from high in s_word
        from readahead in s_word
        select FuseMessage.Init(minor, (InitFlags)(low | ((ulong)high << 32)) | InitFlags.InitExt, major, readahead);

    private static readonly Gen<byte[]> s_structured =
        from opcode in Gen.Frequency((30, Gen.Elements(s_opcodes)), (1, s_word.Select(number => (Opcode)number)))
        from node in s_word
        from message in Build(opcode, node)
        select message;

    private static readonly Gen<byte[]> s_message = Gen.Frequency(
        (4, s_structured),
        (4, from golden in s_golden from mutated in FuzzMutations.Of(golden) select mutated),
        (1, from structured in s_structured from mutated in FuzzMutations.Of(structured) select mutated),
        (1, s_golden),
        (1, s_interrupt),
        (1, s_init));

    private static readonly Gen<FuzzMood> s_mood = Gen.Frequency(
        (8, Gen.Constant(FuzzMood.Answer)),
        (2, Gen.Constant(FuzzMood.Fail)),
        (1, Gen.Constant(FuzzMood.Throw)),
        (1, Gen.Constant(FuzzMood.ThrowInTask)),
        (6, Gen.Constant(FuzzMood.Wait)),
        (1, Gen.Constant(FuzzMood.WaitAndThrow)),
        (1, Gen.Constant(FuzzMood.Overstate)));

    private static readonly Gen<FuzzStep> s_opening =
        from message in Gen.Frequency((9, Gen.Constant(GoldenMessages.Init.Request)), (1, s_init), (1, s_message))
        from mood in Gen.Frequency((20, Gen.Constant(FuzzMood.Answer)), (1, Gen.Constant(FuzzMood.Throw)))
        select new FuzzStep(message, KeepsUnique: false, Back: -1, mood, Chance: 0, Finish: 0);

    private static readonly Gen<FuzzStep> s_step =
        from message in s_message
        from keeps in Gen.Choose(0, 30)
        from back in Gen.Frequency((1, Gen.Constant(-1)), (4, Gen.Choose(0, 8)))
        from mood in s_mood
        from chance in Gen.Choose(0, int.MaxValue - 1)
        from finish in Gen.Frequency((3, Gen.Constant(0)), (3, Gen.Constant(1)), (1, Gen.Choose(2, 5)))
        select new FuzzStep(message, keeps == 0, back, mood, chance, finish);

    /// <summary>One script, for slots of any shape.</summary>
    public static Gen<FuzzScript> Script { get; } =
        from shape in Gen.Elements(Enum.GetValues<RequestShape>())
        from length in Gen.Choose(1, StepsMax)
        from opening in s_opening
        from steps in s_step.ListOf(length)
        select new FuzzScript(shape, [opening, .. steps]);

    private static Gen<byte[]> Build(Opcode opcode, ulong node)
    {
        int argsSize = OpcodeTable.IsKnown(opcode) ? OpcodeTable.ArgsSize(opcode, InitFlags.None) : 0;
        return
            from words in s_word.ArrayOf(argsSize / sizeof(uint))
            from payload in Payload(opcode)
            from fits in Gen.Choose(0, 5)
            from extensions in Extensions(opcode)
            select FuseMessage.Build(
                opcode, 0, [.. Fit(opcode, words, payload, fits > 0), .. payload, .. extensions], node, extensions.Length);
    }

    /// <summary>Makes the size that the arguments announce the one of the payload, as a kernel would.</summary>
    private static byte[] Fit(Opcode opcode, uint[] words, byte[] payload, bool fits)
    {
        if (fits)
        {
            switch (opcode)
            {
                case Opcode.Write or Opcode.NotifyReply:
                    words[4] = (uint)payload.Length;
                    break;
                case Opcode.Ioctl:
                    words[6] = (uint)payload.Length;
                    break;
                case Opcode.Setxattr:
                    words[0] = (uint)Math.Max(0, payload.Length - payload.AsSpan().IndexOf((byte)0) - 1);
                    break;
                case Opcode.BatchForget:
                    words[0] = (uint)(payload.Length / 16);
                    break;
                default:
                    break;
            }
        }

        return MemoryMarshal.AsBytes<uint>(words).ToArray();
    }

    private static Gen<byte[]> Payload(Opcode opcode) => opcode switch
    {
        Opcode.Lookup or Opcode.Mknod or Opcode.Mkdir or Opcode.Unlink or Opcode.Rmdir or Opcode.Link or Opcode.Create or Opcode.Tmpfile
            or Opcode.Getxattr or Opcode.Removexattr => s_terminated,
        Opcode.Rename or Opcode.Rename2 or Opcode.Symlink =>
            from first in s_terminated from second in s_terminated select (byte[])[.. first, .. second],
        Opcode.Setxattr => from name in s_terminated from value in s_blob select (byte[])[.. name, .. value],
        Opcode.Write or Opcode.Ioctl or Opcode.NotifyReply or Opcode.BatchForget => s_blob,
        _ => Gen.Frequency((9, Gen.Constant(Array.Empty<byte>())), (1, s_blob)),
    };

    private static Gen<byte[]> Extensions(Opcode opcode)
    {
        bool creates = opcode is Opcode.Create or Opcode.Mkdir or Opcode.Mknod or Opcode.Symlink or Opcode.Tmpfile;
        Gen<byte[]> none = Gen.Constant(Array.Empty<byte>());
        Gen<byte[]> golden = Gen.Constant(GoldenMessages.CreateExtended.Request[^64..]);
        return creates
            ? Gen.Frequency((4, none), (1, golden), (1, from whole in golden from mutated in FuzzMutations.OfBytes(whole) select mutated))
            : Gen.Frequency((20, none), (1, s_blob.Select(blob => blob[..(blob.Length / 8 * 8)])));
    }

    private static byte[] Noise(int length, int seed)
    {
        byte[] bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }
}
