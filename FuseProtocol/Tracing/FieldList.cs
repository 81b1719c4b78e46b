using System.Collections;
using System.Runtime.CompilerServices;

namespace Harness.FuseProtocol.Tracing;

/// <summary>Collects the fields of a message, each as a number and as its text.</summary>
internal sealed class FieldList : IEnumerable<MessageField>
{
    private readonly List<MessageField> _fields = [];

    public void Add(string name, ulong value) => Add(name, value, value.ToString());

    public void Add(string name, ulong value, string text) => _fields.Add(new MessageField(name, value, text));

    public void AddSigned(string name, long value) => Add(name, (ulong)value, value.ToString());

    public void AddHex(string name, ulong value) => Add(name, value, $"0x{value:x}");

    public void AddOctal(string name, uint value) => Add(name, value, "0" + Convert.ToString(value, 8));

    public void AddFlags<T>(string name, T flags)
        where T : unmanaged, Enum
    {
        ulong value = Unsafe.SizeOf<T>() == sizeof(ulong) ? Unsafe.BitCast<T, ulong>(flags) : Unsafe.BitCast<T, uint>(flags);
        Add(name, value, KernelNames.OfFlags<T>(value));
    }

    public void AddOpenFlags(uint flags) => Add("flags", flags, KernelNames.OfOpenFlags(flags));

    public void AddText(string name, ReadOnlySpan<byte> text) => Add(name, 0, MessageField.Quote(text));

    public IEnumerator<MessageField> GetEnumerator() => _fields.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
