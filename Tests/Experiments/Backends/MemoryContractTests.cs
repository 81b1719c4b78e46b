using Harness.Experiments.Backends.Memory;
using Harness.FuseProtocol;
using Harness.FuseProtocol.Wire;
using Harness.Tests.Experiments.Backends.Contracts;
using Harness.Tests.Experiments.Backends.Models;

namespace Harness.Tests.Experiments.Backends;

public sealed class MemoryNamesTests() : NamesContract(MemoryBackend.Make);

public sealed class MemoryRenameTests() : RenameContract(MemoryBackend.Make);

public sealed class MemoryListingTests() : ListingContract(MemoryBackend.Make);

public sealed class MemoryLookupCountTests() : LookupCountContract(MemoryBackend.Make);

public sealed class MemoryAttributesTests() : AttributesContract(MemoryBackend.Make);

public sealed class MemoryDataTests() : DataContract(MemoryBackend.Make);

public sealed class MemoryFallocateTests() : FallocateContract(MemoryBackend.Make);

public sealed class MemoryXattrTests() : XattrContract(MemoryBackend.Make);

public sealed class MemoryAclTests() : AclContract(MemoryBackend.Make);

public sealed class MemoryLocksTests() : LocksContract(MemoryBackend.Make);

public sealed class MemoryModelTests() : ModelContract(MemoryBackend.Make);

/// <summary>Makes the memory file system for contracts: small, and as if just mounted.</summary>
internal static class MemoryBackend
{
    public const long CapacityBytes = 256L << 20;

    public static IFileSystem Make() => Make(new MemoryOptions { CapacityBytes = CapacityBytes }, TimeProvider.System);

    public static MemoryFileSystem Make(MemoryOptions options, TimeProvider time)
    {
        var fileSystem = new MemoryFileSystem(options, time);
        fileSystem.Start(Agreed(fileSystem.Capabilities));
        return fileSystem;
    }

    public static NegotiatedInit Agreed(InitFlags flags) => new()
    {
        Minor = 45,
        Flags = flags,
        Offered = flags,
        Refused = default,
        MaxWrite = 1 << 20,
        MaxReadahead = 1 << 20,
        MaxBackground = 12,
        CongestionThreshold = 9,
    };
}
