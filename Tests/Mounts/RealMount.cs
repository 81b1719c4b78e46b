using Harness.Experiments.Machine;
using Harness.Runtime.Native;

namespace Harness.Tests.Mounts;

/// <summary>Whether tests can mount here, by themselves and for other users.</summary>
internal static class RealMount
{
    private const ulong SysAdmin = 1UL << 21;

    private static readonly Lazy<string?> s_problem = new(FindProblem);

    /// <summary>Why not; null if they can and have all these programs.</summary>
    public static string? Missing(params ReadOnlySpan<string> programs)
    {
        foreach (string program in programs)
        {
            if (!Programs.Has(program))
            {
                return $"{program} is not installed";
            }
        }

        return s_problem.Value;
    }

    private static string? FindProblem()
    {
        if (!Libc.IsRoot || Libc.GetThreadCapabilities(out Capabilities own) != 0 || (own.Effective & SysAdmin) == 0)
        {
            return "mounting for other users needs root (CAP_SYS_ADMIN)";
        }

        return FuseProbe.Problem();
    }
}

/// <summary>A claim about a mount that the kernel really has; skipped where there can be none, or a program is missing.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class RealMountFactAttribute : FactAttribute
{
    public RealMountFactAttribute(params string[] programs) => Skip = RealMount.Missing(programs);
}

/// <summary>As <see cref="RealMountFactAttribute"/>, once for each row of data.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class RealMountTheoryAttribute : TheoryAttribute
{
    public RealMountTheoryAttribute(params string[] programs) => Skip = RealMount.Missing(programs);
}
