using System.Diagnostics.CodeAnalysis;
using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;
using Harness.Runtime.Native;
using Mono.Unix.Native;

namespace Harness.Experiments.Backends.Passthrough;

/// <summary>A node's file for as long as one request needs it, or why there is none.</summary>
internal readonly ref struct NodeFile : IDisposable
{
    /// <summary>Room for a name and its NUL. Whether a name is too long is for the host to say.</summary>
    public const int PathBytesMax = Protocol.NameMax + 1;

    private readonly bool _isOwn;

    /// <summary>There is none.</summary>
    public NodeFile(Errno error)
    {
        Error = error;
        Node = null!;
        Descriptor = null!;
    }

    /// <summary>The file is open by this descriptor.</summary>
    /// <param name="node">The node.</param>
    /// <param name="descriptor">Its file.</param>
    /// <param name="isOwn">Whether it was opened for this request, and is to be closed with it.</param>
    [SuppressMessage("Reliability", "CA2000", Justification = "The node or the open file owns the descriptor, unless this does.")]
    public NodeFile(Node node, FileDescriptor descriptor, bool isOwn = false)
    {
        Node = node;
        Descriptor = descriptor;
        _isOwn = isOwn;
    }

    /// <summary>Ok; ESTALE for a node that the kernel was never told of, or whose file is gone.</summary>
    public Errno Error { get; }

    /// <summary>The node, if there is no error.</summary>
    public Node Node { get; }

    /// <summary>Its file, by O_PATH or, where the request came with an open file, that one.</summary>
    public FileDescriptor Descriptor { get; }

    /// <summary>Turns a name below this directory into a path of one component.</summary>
    /// <param name="name">The name.</param>
    /// <param name="buffer"><see cref="PathBytesMax"/> bytes.</param>
    /// <param name="path">The path, in <paramref name="buffer"/>, ended by NUL.</param>
    /// <returns>Ok; <see cref="Error"/>, or EINVAL for what would be another path.</returns>
    public Errno ToPath(ReadOnlySpan<byte> name, Span<byte> buffer, out ReadOnlySpan<byte> path)
    {
        path = buffer;
        if (Error != Errnos.Ok)
        {
            return Error;
        }

        if (name.Length >= buffer.Length)
        {
            return Errno.ENAMETOOLONG;
        }

        if (name.IsEmpty || name.SequenceEqual("."u8) || name.SequenceEqual(".."u8) || name.ContainsAny((byte)'/', (byte)0))
        {
            return Errno.EINVAL;
        }

        name.CopyTo(buffer);
        buffer[name.Length] = 0;
        return Errnos.Ok;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_isOwn)
        {
            Descriptor.Dispose();
        }
    }
}
