using Harness.FuseProtocol;

namespace Harness.Experiments.Backends;

/// <summary>What a mount serves.</summary>
/// <param name="FileSystem">The file system.</param>
/// <param name="Stop">
/// Called once the mount has ended: writes what waits, and lets go of what was held. Tells what could not be written; null if all was. Null for a
/// file system that holds nothing.
/// </param>
internal sealed record ServedBackend(IFileSystem FileSystem, Func<Task<string?>>? Stop = null);
