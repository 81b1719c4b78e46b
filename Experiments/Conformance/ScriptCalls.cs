using Harness.FuseProtocol.Wire;
using Harness.Transport.Simulated.Files;
using static Harness.Experiments.Conformance.ScriptArgument;

namespace Harness.Experiments.Conformance;

/// <summary>The calls that scripts can make. What is not here is not modelled, and refused by name.</summary>
internal static class ScriptCalls
{
    // What one call moves lies in memory as a whole.
    private const long LengthMax = 64 << 20;
    private const long CountMax = 100_000;

    private static readonly Dictionary<string, long> s_none = [];

    private static readonly Dictionary<string, long> s_open = new()
    {
        ["rdonly"] = (long)OpenFileFlags.ReadOnly,
        ["wronly"] = (long)OpenFileFlags.WriteOnly,
        ["rdwr"] = (long)OpenFileFlags.ReadWrite,
        ["create"] = (long)OpenFileFlags.Create,
        ["excl"] = (long)OpenFileFlags.Exclusive,
        ["trunc"] = (long)OpenFileFlags.Truncate,
        ["append"] = (long)OpenFileFlags.Append,
        ["direct"] = (long)OpenFileFlags.Direct,
        ["dsync"] = (long)OpenFileFlags.DataSync,
        ["sync"] = (long)OpenFileFlags.Sync,
        ["directory"] = (long)OpenFileFlags.Directory,
        ["nofollow"] = (long)OpenFileFlags.NoFollow,
    };

    private static readonly Dictionary<string, long> s_rename = new()
    {
        ["noreplace"] = (long)RenameFlags.Noreplace,
        ["exchange"] = (long)RenameFlags.Exchange,
    };

    private static readonly Dictionary<string, long> s_fallocate = new()
    {
        ["keep-size"] = (long)FallocateMode.KeepSize,
        ["punch-hole"] = (long)(FallocateMode.PunchHole | FallocateMode.KeepSize),
        ["zero-range"] = (long)FallocateMode.ZeroRange,
    };

    private static readonly Dictionary<string, long> s_whence = new() { ["set"] = 0, ["cur"] = 1, ["end"] = 2, ["data"] = 3, ["hole"] = 4 };

    private static readonly Dictionary<string, long> s_advice = new() { ["normal"] = 0, ["random"] = 1, ["sequential"] = 2, ["willneed"] = 3 };

    private static readonly Dictionary<string, long> s_flock = new() { ["shared"] = 1, ["exclusive"] = 2, ["try"] = 4, ["unlock"] = 8 };

    private static readonly Dictionary<string, long> s_lock = new() { ["read"] = 0, ["write"] = 1, ["unlock"] = 2 };

    private static readonly Dictionary<string, long> s_aio = new() { ["reads"] = 0, ["writes"] = 1, ["random"] = 2 };

    private static readonly ScriptCall[] s_all =
    [
        new("open", [Handle, Name], s_open),
        new("close", [Handle], s_none),
        new("dup", [Handle, Handle], s_none),
        new("read", [Handle, Length], s_none),
        new("write", [Handle, Length], s_none),
        new("pread", [Handle, Number, Length], s_none),
        new("pwrite", [Handle, Number, Length], s_none),
        new("aio", [Handle, Number, Length, Count], s_aio),
        new("fsync", [Handle], s_none),
        new("fdatasync", [Handle], s_none),
        new("ftruncate", [Handle, Number], s_none),
        new("fallocate", [Handle, Number, Number], s_fallocate),
        new("lseek", [Handle, Number], s_whence),
        new("fadvise", [Handle, Number, Number], s_advice),
        new("flock", [Handle], s_flock),
        new("lock", [Handle, Number, Number], s_lock),
        new("fstat", [Handle], s_none),
        new("getdents", [Handle, Length], s_none),
        new("stat", [Name], s_none),
        new("lstat", [Name], s_none),
        new("access", [Name, Mode], s_none),
        new("mkdir", [Name, Mode], s_none),
        new("mknod", [Name, Mode], s_none),
        new("rmdir", [Name], s_none),
        new("unlink", [Name], s_none),
        new("rename", [Name, Name], s_rename),
        new("link", [Name, Name], s_none),
        new("symlink", [Word, Name], s_none),
        new("readlink", [Name], s_none),
        new("chmod", [Name, Mode], s_none),
        new("chown", [Name, Number, Number], s_none),
        new("utimes", [Name, Number, Number], s_none),
        new("truncate", [Name, Number], s_none),
        new("statfs", [Name], s_none),
        new("setxattr", [Name, Word, Length], s_none),
        new("getxattr", [Name, Word, Length], s_none),
        new("removexattr", [Name, Word], s_none),
        new("listxattr", [Name, Length], s_none),
        new("sleep", [Count], s_none),
    ];

    private static readonly Dictionary<string, ScriptCall> s_byName = s_all.ToDictionary(call => call.Name);

    /// <summary>All names.</summary>
    public static IEnumerable<string> Names => s_byName.Keys;

    /// <summary>Reads a line of a script; says what is wrong with it if it cannot be read.</summary>
    public static (ScriptStep? Step, string Complaint) Parse(string line)
    {
        string[] words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (words.Length == 0)
        {
            return (null, "the step is empty; allowed: a call and its arguments");
        }

        if (!s_byName.TryGetValue(words[0], out ScriptCall? call))
        {
            string hint = Plan.Values.NearestName.Hint(words[0], s_byName.Keys);
            return (null, $"the call '{words[0]}' is not modelled{hint}; allowed: {string.Join(", ", s_byName.Keys)}");
        }

        string[] arguments = words[1..];
        if (arguments.Length < call.Arguments.Count)
        {
            return (null, $"{call.Name} needs {string.Join(" ", call.Arguments).ToLowerInvariant()}, and got {arguments.Length} arguments");
        }

        var numbers = new long[arguments.Length];
        for (int i = 0; i < arguments.Length; i++)
        {
            string? wrong = i < call.Arguments.Count
                ? CheckArgument(call.Arguments[i], arguments[i], out numbers[i])
                : call.Flags.ContainsKey(arguments[i]) ? null : $"allowed here: {AllowedFlags(call)}";
            if (wrong is not null)
            {
                return (null, $"{call.Name}: '{arguments[i]}' cannot stand there; {wrong}");
            }
        }

        return (new ScriptStep(call, arguments, numbers), "");
    }

    private static string AllowedFlags(ScriptCall call) => call.Flags.Count == 0 ? "nothing more" : string.Join(", ", call.Flags.Keys);

    private static string? CheckArgument(ScriptArgument kind, string text, out long number)
    {
        const int octal = 8;
        number = 0;
        switch (kind)
        {
            case Number:
                return TryReadSize(text, out number) ? null : "allowed: a whole number, with K or M for 2^10 and 2^20";
            case Length:
                return TryReadSize(text, out number) && number <= LengthMax ? null : $"allowed: a length in bytes, 0 to {LengthMax >> 20}M";
            case Count:
                return TryReadSize(text, out number) && number <= CountMax ? null : $"allowed: a whole number, 0 to {CountMax}";
            case Mode:
                bool isOctal = text.Length is > 0 and <= 6 && text.All(digit => digit is >= '0' and <= '7');
                number = isOctal ? Convert.ToInt64(text, octal) : 0;
                return isOctal ? null : "allowed: an octal mode";
            case Handle:
                return text.All(char.IsAsciiLetterOrDigit) ? null : "allowed: a name of letters and digits";
            case Name:
                bool isBelow = text[0] != '/' && !text.Split('/').Contains("..");
                return isBelow ? null : "allowed: a path below the mount, without a leading slash and without '..'";
            default:
                return null;
        }
    }

    private static bool TryReadSize(string text, out long number)
    {
        long unit = text[^1] switch { 'K' => 1 << 10, 'M' => 1 << 20, _ => 1 };
        bool isRead = long.TryParse(unit == 1 ? text : text[..^1], out number) && number is >= 0 and < 1L << 40;
        number *= unit;
        return isRead;
    }
}
