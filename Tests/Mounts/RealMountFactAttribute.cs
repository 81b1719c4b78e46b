using Harness.Experiments.Machine;

namespace Harness.Tests.Mounts;

/// <summary>What a test on real mounts needs of the machine.</summary>
internal static class RealMounts
{
    /// <summary>Why there can be none here; null if there can.</summary>
    public static string? Absence { get; } =
        FuseProbe.Problem() ?? (Environment.IsPrivilegedProcess ? null : "real mounts are tested as root: chown, other users and system settings");

    /// <summary>Why a program that a test drives cannot be run; null if it can.</summary>
    public static string? AbsenceOf(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? string.Empty).Split(':').Any(path => File.Exists(Path.Combine(path, program)))
            ? null
            : $"{program} is not installed";
}

/// <summary>A test on a real mount, and perhaps with programs: skipped, with the reason, where one of them is missing.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class RealMountFactAttribute : FactAttribute
{
    public RealMountFactAttribute(params string[] programs) =>
        Skip = RealMounts.Absence ?? programs.Select(RealMounts.AbsenceOf).FirstOrDefault(reason => reason is not null);
}

/// <summary>As <see cref="RealMountFactAttribute"/>, for a body with data.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class RealMountTheoryAttribute : TheoryAttribute
{
    public RealMountTheoryAttribute(params string[] programs) =>
        Skip = RealMounts.Absence ?? programs.Select(RealMounts.AbsenceOf).FirstOrDefault(reason => reason is not null);
}
