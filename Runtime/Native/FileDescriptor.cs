using System.Runtime.InteropServices;

namespace Harness.Runtime.Native;

/// <summary>An open file descriptor, closed when it is disposed and nobody is using it any more.</summary>
/// <remarks>
/// A call that takes it keeps it open until the call returns, so that one thread may dispose what another is using without the number being
/// given to another file in between. Lighter than <c>SafeFileHandle</c>, and meant to be derived from: what is open is its descriptor.
/// </remarks>
internal class FileDescriptor : SafeHandle
{
    /// <summary>Takes over <paramref name="fd"/>, which the call that made it has checked.</summary>
    public FileDescriptor(int fd)
        : base(-1, ownsHandle: true) => SetHandle(fd);

    /// <inheritdoc/>
    public sealed override bool IsInvalid => handle == -1;

    /// <summary>Its number, which stays this file's for as long as the caller knows that nobody disposes it.</summary>
    public int Number => (int)handle;

    /// <inheritdoc/>
    protected sealed override bool ReleaseHandle() => Libc.Close((int)handle) == 0;
}
