using Harness.Runtime.Native;

namespace Harness.Experiments.Machine;

/// <summary>What this machine has of FUSE over io_uring.</summary>
internal static class UringSupport
{
    private const string Parameter = "/sys/module/fuse/parameters/enable_uring";
    private const string Disabled = "/proc/sys/kernel/io_uring_disabled";

    /// <summary>What switches it on.</summary>
    public static SystemSetting SwitchedOn { get; } = new(Parameter, "Y");

    /// <summary>Whether the kernel was built with it (Linux 6.14, CONFIG_FUSE_IO_URING).</summary>
    public static bool IsBuiltIn => File.Exists(Parameter);

    /// <summary>Whether io_uring as such is forbidden, to all or to those without privilege.</summary>
    public static bool IsForbidden => MachineInfo.ReadSetting(Disabled) is "1" or "2";

    /// <summary>Whether it is switched on.</summary>
    public static bool IsOn => SwitchedOn.IsMetBy(MachineInfo.ReadSetting(Parameter));

    /// <summary>Whether a mount of this process can have it: it is on, or this process may switch it on.</summary>
    public static bool CanBeHad => IsBuiltIn && !IsForbidden && (IsOn || Libc.IsRoot);
}
