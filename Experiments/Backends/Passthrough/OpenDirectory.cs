namespace Harness.Experiments.Backends.Passthrough;

/// <summary>An open directory of the host. What is kept between two requests is only where its descriptor stands.</summary>
internal sealed class OpenDirectory(Node node, int fd) : Handle(node, fd)
{
    /// <summary>Stands for a position that no request asks for, so that the next one seeks.</summary>
    public const ulong Unknown = ulong.MaxValue;

    /// <summary>Held while a request reads.</summary>
    public Lock Gate { get; } = new();

    /// <summary>The offset from which the descriptor reads on. Guarded by <see cref="Gate"/>.</summary>
    public ulong Position { get; set; }
}
