namespace Harness.FuseProtocol;

/// <summary>Names a node to the kernel, from the reply that made it known until its lookup count is forgotten.</summary>
/// <param name="Value">As it travels in <c>nodeid</c>; 1 is the root.</param>
public readonly record struct NodeId(ulong Value)
{
    /// <summary>The root of the mount (<c>FUSE_ROOT_ID</c>).</summary>
    public static NodeId Root { get; } = new(1);

    /// <inheritdoc/>
    public override string ToString() => Value.ToString();
}

/// <summary>Names an open file to the file system: whatever its OPEN, OPENDIR or CREATE answered.</summary>
/// <param name="Value">As it travels in <c>fh</c>.</param>
public readonly record struct Fh(ulong Value)
{
    /// <inheritdoc/>
    public override string ToString() => Value.ToString();
}
