using System.Reflection;
using System.Text;
using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;
using Mono.Unix.Native;

namespace Harness.Tests.FuseProtocol;

/// <summary>
/// Writes down every call with every argument, and gives the answers that <see cref="Harness.Experiments.Fuzz.GoldenMessages"/> expect.
/// What it does beyond that can be changed from outside.
/// </summary>
internal sealed partial class RecordingFileSystem : IFileSystem
{
    public const string Content = "sixteen bytes...";
    public const string LinkTarget = "a/target";

    private static readonly Attr s_attr = new()
    {
        Ino = 17,
        Size = 8192,
        Blocks = 16,
        Atime = 1_000_000_001,
        Mtime = 1_000_000_002,
        Ctime = 1_000_000_003,
        Atimensec = 101,
        Mtimensec = 102,
        Ctimensec = 103,
        Mode = 0x81A4,
        Nlink = 2,
        Uid = 1000,
        Gid = 1001,
        Blksize = 4096,
    };

    private static readonly EntryOut s_entry = new()
    {
        Nodeid = 17,
        Generation = 3,
        EntryValid = 1,
        AttrValid = 2,
        EntryValidNsec = 500,
        AttrValidNsec = 600,
        Attr = s_attr,
    };

    private static readonly OpenOut s_open = new() { Fh = 33, OpenFlags = FopenFlags.DirectIo | FopenFlags.KeepCache };

    private readonly Lock _lock = new();

    /// <summary>Every call so far.</summary>
    public List<string> Calls { get; } = [];

    public InitFlags Capabilities { get; init; }

    public NegotiatedInit? Started { get; private set; }

    public FuseNotifier? Notifier { get; private set; }

    public int Stops { get; private set; }

    /// <summary>Runs inside of each call, before the answer; may throw.</summary>
    public Action? During { get; set; }

    /// <summary>Each answer waits for it.</summary>
    public Func<RequestContext, Task>? Before { get; set; }

    /// <summary>What is answered instead of bytes that were read, written or listed.</summary>
    public int? Length { get; set; }

    public void Attach(FuseNotifier notifier) => Notifier = notifier;

    public void Start(NegotiatedInit init)
    {
        During?.Invoke();
        Started = init;
    }

    public void Stop() => Stops++;

    public void Forget(NodeId node, ulong lookups) => Record($"Forget node={node} lookups={lookups}");

    public void Retrieved(ulong number, NodeId node, ulong offset, ReadOnlyMemory<byte> data) =>
        Record($"Retrieved number={number} node={node} offset={offset} data={Text(data)}");

    private ValueTask<Errno> Done(RequestContext context, string call)
    {
        Record(context, call);
        return Before is null ? new ValueTask<Errno>(Errnos.Ok) : Later(context, () => Errnos.Ok);
    }

    private ValueTask<Result<T>> Answer<T>(RequestContext context, Result<T> answer, string call)
    {
        Record(context, call);
        return Before is null ? new ValueTask<Result<T>>(answer) : Later(context, () => answer);
    }

    /// <summary>Answers with bytes put into a buffer, at the time of the answer and not before.</summary>
    private ValueTask<Result<int>> Fill(RequestContext context, Memory<byte> buffer, ReadOnlyMemory<byte> bytes, string call)
    {
        Record(context, call);
        return Before is null ? new ValueTask<Result<int>>(Copy()) : Later<Result<int>>(context, () => Copy());

        int Copy()
        {
            bytes[..Math.Min(bytes.Length, buffer.Length)].CopyTo(buffer);
            return Length ?? bytes.Length;
        }
    }

    private async ValueTask<T> Later<T>(RequestContext context, Func<T> answer)
    {
        await Before!(context);
        return answer();
    }

    private void Record(RequestContext context, string call)
    {
        var text = new StringBuilder($"{call} by {context.Uid}:{context.Gid} pid {context.Pid}");
        RequestExtensions extensions = context.Extensions;
        if (extensions.TryGetSecurityContext(out ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value))
        {
            text.Append($" {Encoding.UTF8.GetString(name)}={Encoding.UTF8.GetString(value)}");
        }

        foreach (uint group in extensions.SupplementaryGroups)
        {
            text.Append($" group {group}");
        }

        Record(text.ToString());
    }

    private void Record(string call)
    {
        lock (_lock)
        {
            Calls.Add(call);
        }

        During?.Invoke();
    }

    private static string Text(ReadOnlyMemory<byte> bytes) => $"\"{Encoding.UTF8.GetString(bytes.Span)}\"";

    /// <summary>All fields of a wire struct that are not 0, by name.</summary>
    private static string Fields<T>(T value)
        where T : struct
    {
        var text = new StringBuilder("{");
        foreach (FieldInfo field in typeof(T).GetFields(BindingFlags.Instance | BindingFlags.Public))
        {
            object part = field.GetValue(value)!;
            string shown = part is FileLock lk ? Fields(lk) : part is Enum flags ? flags.ToString("G") : part.ToString()!;
            text.Append(shown is "0" or "None" ? string.Empty : $" {field.Name}={shown}");
        }

        return text.Append(" }").ToString();
    }
}
