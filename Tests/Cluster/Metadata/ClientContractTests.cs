using Harness.FuseProtocol;
using Harness.Tests.Experiments.Backends.Contracts;

namespace Harness.Tests.Cluster.Metadata;

public sealed class ClusterNamesTests() : NamesContract(ClusterBackend.Make);

public sealed class ClusterRenameTests() : RenameContract(ClusterBackend.Make);

public sealed class ClusterListingTests() : ListingContract(ClusterBackend.Make);

public sealed class ClusterLookupCountTests() : LookupCountContract(ClusterBackend.Make);

public sealed class ClusterDataTests() : DataContract(ClusterBackend.Make);

public sealed class ClusterAttributesTests() : AttributesContract(ClusterBackend.Make)
{
    // Nanoseconds since 1970 in 64 bits end in 2262; of the last second not all nanoseconds are left.
    private protected override long SecondsMax => (long.MaxValue / 1_000_000_000) - 1;
}

public sealed class ClusterXattrTests() : XattrContract(ClusterBackend.Make);

public sealed class ClusterAclTests() : AclContract(ClusterBackend.Make);

public sealed class ClusterLocksTests() : LocksContract(ClusterBackend.Make);

/// <summary>Makes a cluster's file system for contracts. Chunks are as small as pages, so that holes are as fine as the contracts expect.</summary>
internal static class ClusterBackend
{
    public static IFileSystem Make() =>
        new ClusterWorld().AddClient(ClusterWorld.ClientOptions with { NegativeEntries = false }).FileSystem;
}
