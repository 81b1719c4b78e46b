using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Harness.FuseProtocol;
using Harness.FuseProtocol.Tracing;
using Harness.FuseProtocol.Wire;

namespace Harness.Tests.FuseProtocol.Wire;

public sealed class WireLayoutTests
{
    private static readonly Type[] s_wireTypes =
        [.. typeof(InHeader).Assembly.GetTypes().Where(type => type.Namespace == typeof(InHeader).Namespace)];

    private static readonly Type[] s_structs = [.. s_wireTypes.Where(type => type.IsValueType && !type.IsEnum)];

    private static readonly string[] s_pinnedStructs = [.. Paragraphs(WireLayout.Structs), .. Paragraphs(WireLayout.Composites)];

    private static readonly string[] s_pinnedEnumerations =
        [.. Paragraphs(WireValues.Enumerations).Select(text => text[..text.IndexOf(' ')]).Distinct()];

    public static TheoryData<string> Pinned => [.. s_pinnedStructs];

    public static TheoryData<string> PinnedEnumerations => [.. s_pinnedEnumerations];

    [Theory]
    [MemberData(nameof(Pinned))]
    public void StructHasTheKernelsSizeAndOffsets(string paragraph)
    {
        (string name, int size, (string Name, int Offset, int Size)[] expected) = ParseStruct(paragraph);
        Type type = s_structs.Single(type => type.Name == TypeName(name));
        Assert.Equal(size, SizeOf(type));
        Assert.Equal(expected, Fields(type));
    }

    [Fact]
    public void EveryWireStructIsPinned()
    {
        HashSet<string> pinned = [.. s_pinnedStructs.Select(paragraph => TypeName(ParseStruct(paragraph).Name))];
        IEnumerable<string> unpinned = s_structs
            .Where(type => type.GetCustomAttribute<InlineArrayAttribute>() is null)
            .Select(type => type.Name)
            .Where(name => !pinned.Contains(name));
        Assert.Empty(unpinned);
    }

    [Theory]
    [MemberData(nameof(PinnedEnumerations))]
    public void EnumerationHasTheKernelsNamesAndValues(string enumeration)
    {
        Type type = s_wireTypes.Single(type => type.Name == enumeration);
        SortedDictionary<ulong, string> expected = [];
        foreach (string paragraph in Paragraphs(WireValues.Enumerations)
            .Where(text => text.StartsWith(enumeration + ' ', StringComparison.Ordinal)))
        {
            string prefix = paragraph[(enumeration.Length + 1)..paragraph.IndexOf(':')];
            foreach (string entry in paragraph[(paragraph.IndexOf(':') + 2)..].Split(", "))
            {
                string[] words = entry.Split(' ');
                Assert.StartsWith(prefix, words[0]);
                expected.Add(ParseNumber(words[1]), words[0][prefix.Length..]);
            }
        }

        SortedDictionary<ulong, string> actual = [];
        foreach (object value in Enum.GetValues(type))
        {
            if (value.ToString() != "None")
            {
                actual.Add(Convert.ToUInt64(value), KernelNames.Spell(value.ToString()!));
            }
        }

        Assert.Equal(expected, actual);
    }

    [Fact]
    public void EveryWireEnumerationIsPinned()
    {
        IEnumerable<string> unpinned = s_wireTypes.Where(type => type.IsEnum).Select(type => type.Name).Except(s_pinnedEnumerations);
        Assert.Empty(unpinned);
    }

    [Fact]
    public void ConstantsAreTheKernels()
    {
        Assert.Equal(7U, Protocol.Major);
        Assert.Equal(45U, Protocol.Minor);
        Assert.Equal(1UL, NodeId.Root.Value);
        Assert.Equal(8192, Protocol.MinReadBuffer);
        Assert.Equal(0x8000_0000_0000_0000UL, Protocol.UniqueResend);
        Assert.Equal(0xFFFF_FFFFU, Protocol.InvalidUidGid);
        Assert.Equal(8, OpcodeTable.ArgsSize(Opcode.Setxattr, InitFlags.None));
        Assert.Equal(40, InHeader.Size);
        Assert.Equal(16, OutHeader.Size);
        Assert.Equal(24, UringCmdReq.Size);
        Assert.Equal(288, UringReqHeader.Size);
        Assert.Equal(128, Unsafe.SizeOf<UringOpaque>());
    }

    [Fact]
    public void ArgumentsOfEveryOpcodeHaveTheSizeOfTheirStruct()
    {
        var sizes = new Dictionary<Opcode, int>
        {
            [Opcode.Forget] = Unsafe.SizeOf<ForgetIn>(),
            [Opcode.BatchForget] = Unsafe.SizeOf<BatchForgetIn>(),
            [Opcode.Getattr] = Unsafe.SizeOf<GetattrIn>(),
            [Opcode.Setattr] = Unsafe.SizeOf<SetattrIn>(),
            [Opcode.Mknod] = Unsafe.SizeOf<MknodIn>(),
            [Opcode.Mkdir] = Unsafe.SizeOf<MkdirIn>(),
            [Opcode.Rename] = Unsafe.SizeOf<RenameIn>(),
            [Opcode.Rename2] = Unsafe.SizeOf<Rename2In>(),
            [Opcode.Link] = Unsafe.SizeOf<LinkIn>(),
            [Opcode.Open] = Unsafe.SizeOf<OpenIn>(),
            [Opcode.Opendir] = Unsafe.SizeOf<OpenIn>(),
            [Opcode.Create] = Unsafe.SizeOf<CreateIn>(),
            [Opcode.Tmpfile] = Unsafe.SizeOf<CreateIn>(),
            [Opcode.Read] = Unsafe.SizeOf<ReadIn>(),
            [Opcode.Readdir] = Unsafe.SizeOf<ReadIn>(),
            [Opcode.Readdirplus] = Unsafe.SizeOf<ReadIn>(),
            [Opcode.Write] = Unsafe.SizeOf<WriteIn>(),
            [Opcode.Release] = Unsafe.SizeOf<ReleaseIn>(),
            [Opcode.Releasedir] = Unsafe.SizeOf<ReleaseIn>(),
            [Opcode.Flush] = Unsafe.SizeOf<FlushIn>(),
            [Opcode.Fsync] = Unsafe.SizeOf<FsyncIn>(),
            [Opcode.Fsyncdir] = Unsafe.SizeOf<FsyncIn>(),
            [Opcode.Getxattr] = Unsafe.SizeOf<GetxattrIn>(),
            [Opcode.Listxattr] = Unsafe.SizeOf<GetxattrIn>(),
            [Opcode.Getlk] = Unsafe.SizeOf<LkIn>(),
            [Opcode.Setlk] = Unsafe.SizeOf<LkIn>(),
            [Opcode.Setlkw] = Unsafe.SizeOf<LkIn>(),
            [Opcode.Access] = Unsafe.SizeOf<AccessIn>(),
            [Opcode.Interrupt] = Unsafe.SizeOf<InterruptIn>(),
            [Opcode.Bmap] = Unsafe.SizeOf<BmapIn>(),
            [Opcode.Ioctl] = Unsafe.SizeOf<IoctlIn>(),
            [Opcode.Poll] = Unsafe.SizeOf<PollIn>(),
            [Opcode.NotifyReply] = Unsafe.SizeOf<NotifyRetrieveIn>(),
            [Opcode.Fallocate] = Unsafe.SizeOf<FallocateIn>(),
            [Opcode.Lseek] = Unsafe.SizeOf<LseekIn>(),
            [Opcode.CopyFileRange] = Unsafe.SizeOf<CopyFileRangeIn>(),
            [Opcode.CopyFileRange64] = Unsafe.SizeOf<CopyFileRangeIn>(),
            [Opcode.Setupmapping] = Unsafe.SizeOf<SetupmappingIn>(),
            [Opcode.Removemapping] = Unsafe.SizeOf<RemovemappingIn>(),
            [Opcode.Syncfs] = Unsafe.SizeOf<SyncfsIn>(),
            [Opcode.Statx] = Unsafe.SizeOf<StatxIn>(),
            [Opcode.Setxattr] = Unsafe.SizeOf<SetxattrIn>(),
            // Where INIT ended before 7.36 (FUSE_COMPAT in fs/fuse); the session reads on from there.
            [Opcode.Init] = (int)Marshal.OffsetOf<InitIn>(nameof(InitIn.Flags2)),
        };
        foreach (Opcode opcode in Enum.GetValues<Opcode>())
        {
            Assert.Equal(sizes.GetValueOrDefault(opcode), OpcodeTable.ArgsSize(opcode, InitFlags.SetxattrExt));
        }
    }

    private static IEnumerable<string> Paragraphs(string text)
    {
        string? paragraph = null;
        foreach (string line in text.Split('\n'))
        {
            if (line.StartsWith(' '))
            {
                paragraph += " " + line.Trim();
                continue;
            }

            if (paragraph is not null)
            {
                yield return paragraph;
            }

            paragraph = line;
        }

        yield return paragraph!;
    }

    private static (string Name, int Size, (string Name, int Offset, int Size)[] Fields) ParseStruct(string paragraph)
    {
        string[] halves = paragraph.Split(": ");
        string[] head = halves[0].Split(' ');
        return (head[0], int.Parse(head[1]), [.. halves[1].Split(", ").Select(ParseField)]);

        static (string, int, int) ParseField(string field)
        {
            string[] words = field.Split(' ');
            return (words[0].Replace("_", string.Empty), int.Parse(words[1]), int.Parse(words[2]));
        }
    }

    private static string TypeName(string name)
    {
        IEnumerable<string> words = name.Replace("fuse_", string.Empty).Split('_');
        return string.Concat(words.Select(word => char.ToUpperInvariant(word[0]) + word[1..]));
    }

    private static ulong ParseNumber(string text) =>
        text.StartsWith("0x", StringComparison.Ordinal) ? Convert.ToUInt64(text[2..], 16) : ulong.Parse(text);

    private static int SizeOf(Type type) => (int)typeof(Unsafe).GetMethod(nameof(Unsafe.SizeOf))!.MakeGenericMethod(type).Invoke(null, null)!;

    private static (string Name, int Offset, int Size)[] Fields(Type type) =>
        [.. type.GetFields(BindingFlags.Instance | BindingFlags.Public).Select(field => Measure(type, field))];

    /// <summary>Sets all bits of one field and looks where they are: neither Marshal's layout nor the order of declaration is trusted.</summary>
    private static (string Name, int Offset, int Size) Measure(Type type, FieldInfo field)
    {
        MethodInfo measure = typeof(WireLayoutTests).GetMethod(nameof(Bytes), BindingFlags.Static | BindingFlags.NonPublic)!;
        var bytes = (byte[])measure.MakeGenericMethod(type, field.FieldType).Invoke(null, [field])!;
        int offset = bytes.AsSpan().IndexOf((byte)0xFF);
        return (field.Name.ToLowerInvariant(), offset, bytes.AsSpan().LastIndexOf((byte)0xFF) - offset + 1);
    }

    private static byte[] Bytes<TStruct, TField>(FieldInfo field)
        where TStruct : unmanaged
        where TField : unmanaged
    {
        TField ones = default;
        MemoryMarshal.AsBytes(new Span<TField>(ref ones)).Fill(0xFF);
        object boxed = default(TStruct);
        field.SetValue(boxed, ones);
        var value = (TStruct)boxed;
        return MemoryMarshal.AsBytes(new Span<TStruct>(ref value)).ToArray();
    }
}
