using System.Text;
using Harness.FuseProtocol.Wire;
using Mono.Unix.Native;

namespace Harness.FuseProtocol.Tracing;

/// <summary>What a message says: what the trace prints a line from, and what a recorder keeps or compares.</summary>
/// <remarks>Holds copies only, and so outlives the message.</remarks>
public sealed class MessageDescription
{
    private readonly MessageField[] _head;
    private readonly MessageField[] _fields;

    internal MessageDescription(bool isReceived, string kind, IEnumerable<MessageField> head, IEnumerable<MessageField> fields)
    {
        IsReceived = isReceived;
        Kind = kind;
        _head = [.. head];
        _fields = [.. fields];
    }

    /// <summary>Whether it came from the kernel (<c>rx</c>) or goes there (<c>tx</c>).</summary>
    public bool IsReceived { get; }

    /// <summary>The opcode, or the code of a notification, in the kernel's spelling.</summary>
    public string Kind { get; }

    /// <summary>What every message has: <c>unique</c>, <c>opcode</c>, <c>nodeid</c> and so on, in the order of printing.</summary>
    public IReadOnlyList<MessageField> Head => _head;

    /// <summary>The arguments of this kind of message.</summary>
    public IReadOnlyList<MessageField> Fields => _fields;

    /// <summary>The message's number, without the mark of one that was sent again.</summary>
    public ulong Unique => this["unique"] ?? 0;

    /// <summary>The node that the message is about; 0 for none.</summary>
    public ulong NodeId => this["nodeid"] ?? 0;

    /// <summary>Where in a file it reads, writes or looks, in bytes; null if it does not.</summary>
    public ulong? Offset => this["offset"] ?? this["off_in"];

    /// <summary>Bytes that it reads, writes or asks for; null if it does not.</summary>
    public ulong? Size => this["size"];

    /// <summary>Flags of an open file, in open(2)'s numbers; null where there are none.</summary>
    public ulong? Flags => this["flags"];

    /// <summary>The number of one field; null if this message has no such field.</summary>
    public ulong? this[string name]
    {
        get
        {
            foreach (MessageField field in _fields.Concat(_head))
            {
                if (field.Name == name)
                {
                    return field.Value;
                }
            }

            return null;
        }
    }

    /// <summary>Describes a message from the kernel, once it has been split and before it is acted on.</summary>
    public static MessageDescription OfRequest(FuseRequest request)
    {
        ref readonly InHeader header = ref request.Header;
        var head = new FieldList();
        AddNumber(head, header.Unique);
        string kind = KernelNames.Of(header.Opcode);
        head.Add("opcode", (uint)header.Opcode, kind);
        head.Add("nodeid", header.NodeId);
        head.Add("pid", header.Pid);
        head.Add("uid", header.Uid);
        head.Add("gid", header.Gid);
        head.Add("len", header.Len);
        var fields = new FieldList();
        RequestDescriber.Describe(request, fields);
        return new MessageDescription(isReceived: true, kind, head, fields);
    }

    /// <summary>Describes an answer.</summary>
    /// <param name="header">Of the request that it answers.</param>
    /// <param name="error">0, or what failed.</param>
    /// <param name="payload">What follows the header.</param>
    public static MessageDescription OfReply(in InHeader header, Errno error, ReadOnlySpan<byte> payload)
    {
        var head = new FieldList();
        AddNumber(head, header.Unique);
        string kind = KernelNames.Of(header.Opcode);
        head.Add("opcode", (uint)header.Opcode, kind);
        head.Add("error", (ulong)error, KernelNames.Of(error));
        head.Add("len", (ulong)(OutHeader.Size + payload.Length));
        var fields = new FieldList();
        if (error == Errnos.Ok)
        {
            ReplyDescriber.Describe(header.Opcode, payload, fields);
        }

        return new MessageDescription(isReceived: false, kind, head, fields);
    }

    /// <summary>Describes a notification.</summary>
    /// <param name="code">Which.</param>
    /// <param name="error">0, or why it failed.</param>
    /// <param name="body">Its struct.</param>
    /// <param name="data">What follows that.</param>
    public static MessageDescription OfNotification(NotifyCode code, Errno error, ReadOnlySpan<byte> body, ReadOnlySpan<byte> data)
    {
        var head = new FieldList();
        string kind = KernelNames.Of(code);
        head.Add("notify", (ulong)code, kind);
        head.Add("error", (ulong)error, KernelNames.Of(error));
        head.Add("len", (ulong)(OutHeader.Size + body.Length + data.Length));
        var fields = new FieldList();
        NotificationDescriber.Describe(code, body, data, fields);
        return new MessageDescription(isReceived: false, kind, head, fields);
    }

    /// <summary>The line of the trace, such as <c>rx unique=14 opcode=LOOKUP nodeid=1 pid=7 uid=0 gid=0 len=44 name="usr"</c>.</summary>
    public override string ToString()
    {
        var text = new StringBuilder(IsReceived ? "rx" : "tx");
        foreach (MessageField field in _head.Concat(_fields))
        {
            text.Append(' ').Append(field.Name).Append('=').Append(field.Text);
        }

        return text.ToString();
    }

    private static void AddNumber(FieldList head, ulong unique)
    {
        head.Add("unique", unique & ~Protocol.UniqueResend);
        if ((unique & Protocol.UniqueResend) != 0)
        {
            head.Add("resend", 1);
        }
    }
}
