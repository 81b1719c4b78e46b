namespace Harness.Experiments.Observing.Kernel;

/// <summary>What happened in the kernel.</summary>
internal enum KernelEventKind
{
    /// <summary><c>fuse:fuse_request_send</c>: a request was numbered and queued.</summary>
    RequestSend,

    /// <summary><c>fuse:fuse_request_end</c>: its reply has been copied; whoever waits is about to be woken.</summary>
    RequestEnd,

    /// <summary><c>sched:sched_switch</c>: a thread begins to run.</summary>
    SwitchIn,

    /// <summary><c>raw_syscalls:sys_enter</c>.</summary>
    SyscallEnter,

    /// <summary><c>raw_syscalls:sys_exit</c>.</summary>
    SyscallExit,
}

/// <summary>One event of a trace.</summary>
/// <param name="Time">When, on CLOCK_MONOTONIC in nanoseconds.</param>
/// <param name="Kind">What.</param>
/// <param name="Thread">Who: the thread that did it, or the one that begins to run.</param>
/// <param name="Unique">The request's number; 0 where it is about none.</param>
internal readonly record struct KernelEvent(long Time, KernelEventKind Kind, int Thread, ulong Unique);
