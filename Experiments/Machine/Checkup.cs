using Harness.Experiments.Mounting;
using Harness.Experiments.Running;
using Harness.FuseProtocol;
using Harness.Runtime;
using Harness.Transport.Mounting;

namespace Harness.Experiments.Machine;

/// <summary>One thing looked for.</summary>
/// <param name="Name">What.</param>
/// <param name="IsThere">Whether it is there.</param>
/// <param name="IsNeeded">Whether experiments on the real kernel cannot do without it.</param>
/// <param name="Detail">What was found.</param>
/// <param name="Remedy">How to get what is missing; null if nothing is.</param>
internal sealed record Finding(string Name, bool IsThere, bool IsNeeded, string Detail, string? Remedy);

/// <summary>Looks this machine over.</summary>
internal static class Checkup
{
    /// <summary>All findings, what is needed first.</summary>
    public static IReadOnlyList<Finding> Run() =>
        [Fuse(), Fio(), Privilege(), Kernel(), MessageSize(), Uring(), Control(), Tracing(), Processors(), Nodes(), Memory()];

    private static Finding Fuse()
    {
        string? problem = FuseProbe.Problem();
        string? remedy = problem?[(problem.LastIndexOf(": ", StringComparison.Ordinal) + 2)..];
        return new Finding("/dev/fuse", problem is null, true, problem ?? "can be opened and mounted", remedy);
    }

    private static Finding Fio()
    {
        string? version = FioProgram.Version();
        return new Finding(
            "fio", version is not null, true, version ?? "not installed", version is null ? "apt-get install -y fio (./harness run does so as root)" : null);
    }

    private static Finding Privilege() => Environment.IsPrivilegedProcess
        ? new("privilege", true, false, "root: limits can be raised for a run", null)
        : new(
            "privilege", false, false, "no root: messages above 1 MiB and FUSE over io_uring depend on what is set already",
            "run as root (sudo ./harness run)");

    private static Finding Kernel() =>
        new("kernel", true, false, MachineInfo.ReadSetting("/proc/sys/kernel/osrelease"), null);

    private static Finding MessageSize()
    {
        long bytes = (long)MessageLimit.Pages * SessionOptions.PageSize;
        return new Finding("message size", true, false, $"up to {bytes / 1024} KiB without change (max_pages_limit {MessageLimit.Pages} pages)", null);
    }

    private static Finding Uring()
    {
        if (!UringSupport.IsBuiltIn)
        {
            return new Finding("FUSE over io_uring", false, false, "this kernel has none", "boot Linux 6.14 or newer with CONFIG_FUSE_IO_URING=y");
        }

        if (UringSupport.IsForbidden)
        {
            return new Finding("FUSE over io_uring", false, false, "io_uring is disabled on this machine", "sysctl kernel.io_uring_disabled=0");
        }

        bool on = UringSupport.IsOn;
        return new Finding(
            "FUSE over io_uring", on, false, on ? "switched on" : "there, switched off",
            on ? null : $"echo Y > {UringSupport.SwitchedOn.Path} (a mount by root with that channel does so for itself)");
    }

    private static Finding Control()
    {
        bool there = Directory.Exists(FuseControl.Root) && MountTable.Find(FuseControl.Root) is not null;
        return new Finding(
            "fusectl", there, false, there ? $"mounted at {FuseControl.Root}" : "not mounted: a hung mount cannot be aborted",
            there ? null : $"mount -t fusectl none {FuseControl.Root}");
    }

    private static Finding Tracing()
    {
        bool there = Directory.Exists("/sys/kernel/tracing/events/fuse");
        return new Finding(
            "fuse tracepoints", there, false, there ? "fuse_request_send, fuse_request_end" : "tracefs is not mounted, or the kernel is older than 6.12",
            there ? null : "mount -t tracefs none /sys/kernel/tracing");
    }

    private static Finding Processors() => new(
        "CPUs", true, false, $"{Topology.Current.Online} online, {Topology.Current.Possible} possible ({MachineInfo.Read().CpuModel})", null);

    private static Finding Nodes() => new(
        "NUMA nodes", true, false, string.Join("; ", Topology.Current.Nodes.Select(node => $"node {node.Number}: CPUs {node.Cpus}")), null);

    private static Finding Memory() => new("memory", true, false, $"{MachineInfo.Read().MemoryBytes >> 20} MiB", null);
}
