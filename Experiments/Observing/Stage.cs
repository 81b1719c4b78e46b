namespace Harness.Experiments.Observing;

/// <summary>The parts of a request's time, in the order in which it passes through them.</summary>
internal enum Stage
{
    /// <summary>From the system call's entry, or the caller's last request within it, until the kernel has queued the request.</summary>
    SystemCall,

    /// <summary>Until the daemon's thread has done with what it had before.</summary>
    Queue,

    /// <summary>Until the daemon's thread runs: it slept, or another had its CPU.</summary>
    WakeUp,

    /// <summary>Until the message is in the daemon's buffer and the system call that fetched it has returned.</summary>
    Copy,

    /// <summary>Until the session has checked the message and hands it to the dispatcher.</summary>
    Session,

    /// <summary>Until the answer is complete: arguments decoded, the file system's work, the reply encoded.</summary>
    FileSystem,

    /// <summary>Until the kernel has taken the reply and copied what it carries. Without tracepoints: until the channel has taken it.</summary>
    Reply,

    /// <summary>Until the caller runs again, if it slept.</summary>
    CallerWakeUp,

    /// <summary>Until its system call returns.</summary>
    Return,
}

/// <summary>Names and order of the stages.</summary>
internal static class Stages
{
    /// <summary>How many there are.</summary>
    public const int Count = (int)Stage.Return + 1;

    private static readonly string[] s_names =
        ["system call", "queue", "wake-up", "copy", "session", "file system", "reply", "caller's wake-up", "return"];

    /// <summary>All, in order.</summary>
    public static IEnumerable<Stage> All => Enumerable.Range(0, Count).Select(number => (Stage)number);

    /// <summary>What people call it.</summary>
    public static string Name(Stage stage) => s_names[(int)stage];
}
