using Harness.FuseProtocol.Wire;

namespace Harness.FuseProtocol;

/// <summary>Which INIT flags the kernel does not take together, and which not alone (fs/fuse/inode.c, <c>process_init_reply</c>).</summary>
internal static class InitFlagRules
{
    /// <summary>Pairs of which only one can be had: where both are set the kernel acts on <c>Wins</c>.</summary>
    public static ReadOnlySpan<Exclusion> Exclusions => s_exclusions;

    /// <summary>Flags that mean nothing without another.</summary>
    public static ReadOnlySpan<Dependency> Dependencies => s_dependencies;

    private static readonly Exclusion[] s_exclusions =
    [
        new(InitFlags.WritebackCache, InitFlags.Passthrough, "the kernel ignores passthrough beside the writeback cache"),
        new(InitFlags.AutoInvalData, InitFlags.ExplicitInvalData, "the kernel drops cached data either at a new mtime or never by itself"),
        new(InitFlags.HandleKillprivV2, InitFlags.HandleKillpriv, "the two promise to clear set-id bits in different cases"),
        new(InitFlags.NoExportSupport, InitFlags.ExportSupport, "the one forbids what the other offers"),
    ];

    private static readonly Dependency[] s_dependencies =
    [
        new(InitFlags.ReaddirplusAuto, InitFlags.DoReaddirplus, "it chooses between READDIR and READDIRPLUS, which must be there"),
    ];

    /// <summary>Flags that cannot be had beside these.</summary>
    public static InitFlags ExcludedBy(InitFlags flags)
    {
        InitFlags excluded = InitFlags.None;
        foreach (Exclusion rule in s_exclusions)
        {
            excluded |= (flags & rule.Wins) != 0 ? rule.Loses : InitFlags.None;
            excluded |= (flags & rule.Loses) != 0 ? rule.Wins : InitFlags.None;
        }

        return excluded;
    }

    /// <summary>These flags without those that would have no effect, or would make the kernel refuse the mount.</summary>
    /// <param name="flags">What both sides could agree on.</param>
    /// <param name="defaultPermissions">Whether the mount has <c>default_permissions</c>.</param>
    public static InitFlags Effective(InitFlags flags, bool defaultPermissions)
    {
        foreach (Exclusion rule in s_exclusions)
        {
            if ((flags & rule.Wins) != 0)
            {
                flags &= ~rule.Loses;
            }
        }

        foreach (Dependency rule in s_dependencies)
        {
            if ((flags & rule.Needs) == 0)
            {
                flags &= ~rule.Flag;
            }
        }

        return AllowsIdmap(flags, defaultPermissions) ? flags : flags & ~InitFlags.AllowIdmap;
    }

    /// <summary>Whether the kernel would take ALLOW_IDMAP: without permission checks of its own it fails the whole INIT.</summary>
    public static bool AllowsIdmap(InitFlags flags, bool defaultPermissions) =>
        defaultPermissions || (flags & InitFlags.PosixAcl) != 0;

    /// <summary>Two flags that exclude each other.</summary>
    internal readonly record struct Exclusion(InitFlags Wins, InitFlags Loses, string Reason);

    /// <summary>A flag that needs another.</summary>
    internal readonly record struct Dependency(InitFlags Flag, InitFlags Needs, string Reason);
}
